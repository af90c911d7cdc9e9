-- I3: contents with more than one claim
select
    source,
    min(receipt_id) as receipt_id,
    count(*) as receipts
from receipts
where state not in ('failed', 'undone')
group by source, key
having count(*) > 1
