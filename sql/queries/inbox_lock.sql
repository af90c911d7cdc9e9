-- the inbox, if nobody works it
select pg_try_advisory_lock(7003)
