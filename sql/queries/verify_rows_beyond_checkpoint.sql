-- I2: rows of unfinished receipts that lie beyond, or are missing before, the checkpoint
select
    receipt_id,
    checkpoint,
    touches + rejects + set_asides as accounted
from receipt_ledger
where state in ('received', 'working') and checkpoint <> touches + rejects + set_asides
