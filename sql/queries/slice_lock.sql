-- one load transaction at a time, whichever door its rows came by
select pg_advisory_xact_lock(7002)
