-- the process that works a receipt lets go of it
select pg_advisory_unlock(7001, (%(receipt_id)s %% 2147483647)::integer) as released
