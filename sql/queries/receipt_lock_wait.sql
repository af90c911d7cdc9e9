-- waits until the process that works a receipt has finished or died
select pg_advisory_lock(7001, (%(receipt_id)s %% 2147483647)::integer)
