-- the next one's turn
select pg_advisory_unlock(7003)
