-- what became of the rows of one receipt
select
    row_count, touches, created, updated, unchanged, flagged, rejects, set_asides
from receipt_ledger
where receipt_id = %(receipt_id)s
