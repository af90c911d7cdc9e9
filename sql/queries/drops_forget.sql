-- claims so old that nobody asks for them any more
delete from drops
where claimed_at < now() - interval '30 days'
