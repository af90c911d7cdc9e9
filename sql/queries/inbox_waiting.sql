-- what waits to be worked, oldest first: so many receipts, and so many bytes but at least one
select
    w.receipt_id,
    w.source,
    w.kind,
    w.name,
    w.config_id,
    w.body,
    w.envelope,
    w.attempts,
    w.occurred_at,
    w.received_at
from (
    select
        r.*,
        sum(r.size_bytes) over (order by r.receipt_id) - r.size_bytes as bytes_before
    from (
        select * from receipts
        where
            state = 'received' and kind in ('form', 'api', 'mailbox')
            and body is not null and (retry_at is null or retry_at <= now())
        order by receipt_id
        limit %(most)s
    ) as r
) as w
where w.bytes_before < %(bytes)s
order by w.receipt_id
