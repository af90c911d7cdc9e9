-- the Prefect server has the run
update drops
set submitted_at = now()
where bucket = %(bucket)s and run_key = %(run_key)s and submitted_at is null
