-- the inbox is worked by one at a time; whoever comes next waits here
select pg_advisory_lock(7003)
