-- of some receipts those that nobody has worked meanwhile, and the time that counts for what is decided about them
select
    receipt_id,
    now() as decided_at
from receipts
where receipt_id = any(%(receipt_ids)s::bigint[]) and state = 'received'
order by receipt_id
for update
