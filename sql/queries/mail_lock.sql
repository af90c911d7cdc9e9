-- who stores mails does so alone: two accounts may hold the same one
select pg_advisory_xact_lock(7005)
