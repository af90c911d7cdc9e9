-- a post that one process at a time works, if nobody does
select pg_try_advisory_lock(%(lock)s)
