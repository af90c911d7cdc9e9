-- a lead that was announced is here: from now on it waits like what is posted
update receipts
set
    body = %(body)s,
    size_bytes = %(size_bytes)s,
    attempts = 0,
    retry_at = null
where receipt_id = %(receipt_id)s and body is null and state = 'received'
