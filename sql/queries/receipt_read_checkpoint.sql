-- where a receipt stands that nobody gave up, and the time that counts for what is decided about its rows
select
    checkpoint,
    now() as decided_at
from receipts
where receipt_id = %(receipt_id)s and state in ('working', 'done')
