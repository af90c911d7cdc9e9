-- counted before it is worked: what kills its worker is known by it
update receipts
set attempts = attempts + 1
where receipt_id = any(%(receipt_ids)s::bigint []) and state = 'received'
