-- the latest receipts, youngest first
select
    receipt_id, source, name, state, row_count, created, updated, unchanged, flagged, rejects, set_asides, duplicate_of,
    checkpoint, received_at, finished_at, failure
from receipt_ledger
order by receipt_id desc
limit %(most)s
