-- the first receipt of each content, and how often it lies in this folder already
select
    r.sha256,
    min(r.receipt_id) filter (where r.duplicate_of is null) as receipt_id,
    count(*) filter (
        where r.envelope ->> 'account' = %(account)s and r.envelope ->> 'folder' = %(folder)s
    ) as here
from receipts as r
where r.kind = 'mailbox' and r.sha256 = any(%(fingerprints)s::bytea[]) and r.state <> 'undone'
group by r.sha256
