-- could not be worked this time
update receipts
set retry_at = now() + %(seconds)s * interval '1 second'
where receipt_id = %(receipt_id)s and state = 'received'
