-- runs that the Prefect server does not have yet, with their files
select
    run_key,
    array_agg(key order by key) as keys
from drops
where bucket = %(bucket)s and submitted_at is null
group by run_key
order by min(claimed_at), run_key
