-- could not be fetched this time
update receipts
set
    attempts = least(attempts + 1, 30000),
    retry_at = now() + %(seconds)s * interval '1 second',
    envelope = jsonb_set(envelope, '{fetch,last}', to_jsonb(%(why)s::text))
where receipt_id = %(receipt_id)s and body is null and state = 'received'
