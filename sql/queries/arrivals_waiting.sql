-- what waits for the inbox, since when, and how much of what was posted could not be read
select
    (
        select count(*) from receipts
        where state = 'received' and kind in ('form', 'api', 'mailbox')
    ) as waiting,
    coalesce((
        select extract(epoch from now() - received_at) from receipts
        where state = 'received' and kind in ('form', 'api', 'mailbox')
        order by receipt_id
        limit 1
    ), 0)::float8 as oldest_seconds,
    (
        select count(*) from receipts
        where state = 'failed' and kind in ('form', 'api', 'mailbox')
    ) as quarantined
