-- work that waits for a run: nobody holds it, and it is not settled
select
    receipt_id,
    name,
    state,
    checkpoint,
    row_count
from receipts
where state in ('received', 'working') and kind in ('file', 'manual')
order by receipt_id
