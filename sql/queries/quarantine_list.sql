-- what is kept apart and may be let in: arrivals that could not be read, and rows that look like spam
select
    receipt_id,
    null::bigint as row_number,
    source,
    kind,
    name,
    failure ->> 'found' as why,
    received_at
from receipts
where state = 'failed' and kind in ('form', 'api', 'mailbox')
union all
select
    s.receipt_id,
    s.row_number,
    r.source,
    r.kind,
    r.name,
    s.reason,
    r.received_at
from set_asides as s
inner join receipts as r on s.receipt_id = r.receipt_id
where s.kind = 'spam' and s.released_at is null
order by received_at desc, receipt_id desc, row_number asc
limit %(most)s
