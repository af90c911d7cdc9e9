-- I2: receipts whose rows are not all accounted for: rows = touches + rejects + set-asides
select
    receipt_id,
    row_count - touches - rejects - set_asides as missing
from receipt_ledger
where state = 'done' and row_count <> touches + rejects + set_asides
