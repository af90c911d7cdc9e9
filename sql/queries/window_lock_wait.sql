-- a post that one process at a time works; whoever comes next waits here
select pg_advisory_lock(%(lock)s)
