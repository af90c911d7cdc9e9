-- begun, and then the database or a key was missing: that attempt does not count
update receipts
set
    attempts = greatest(attempts - 1, 0),
    retry_at = null
where receipt_id = any(%(receipt_ids)s::bigint[]) and state = 'received'
