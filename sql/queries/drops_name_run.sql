-- which run the files go to that were claimed in this transaction
update drops
set run_key = %(run_key)s
where bucket = %(bucket)s and key = any(%(keys)s::text[])
