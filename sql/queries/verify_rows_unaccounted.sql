-- I2: receipts whose rows are not all accounted for: rows = touches + rejects + set-asides
select
    receipt_id,
    coalesce(row_count, 0) - touches - rejects - set_asides as missing
from receipt_ledger
where
    (state = 'done' and row_count <> touches + rejects + set_asides)
    or (state in ('failed', 'duplicate', 'undone') and touches + rejects + set_asides <> 0)
