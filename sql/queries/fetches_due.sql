-- announced leads that are still to be fetched, the longest due first
select
    receipt_id,
    source,
    config_id,
    envelope -> 'fetch' ->> 'id' as lead_id,
    attempts,
    extract(epoch from now() - received_at)::double precision as seconds
from receipts
where
    state = 'received' and kind in ('form', 'api', 'mailbox')
    and body is null and envelope ? 'fetch' and (retry_at is null or retry_at <= now())
order by retry_at nulls first, receipt_id
limit %(most)s
