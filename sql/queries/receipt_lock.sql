-- the claim of the process that works a receipt; a session lock, so death frees it
select pg_try_advisory_lock(7001, (%(receipt_id)s %% 2147483647)::integer) as held
