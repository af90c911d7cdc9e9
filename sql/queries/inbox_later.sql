-- could not be worked this time, and why
update receipts
set
    retry_at = now() + %(seconds)s * interval '1 second',
    envelope = coalesce(envelope, '{}') || jsonb_build_object('last', %(why)s::text)
where receipt_id = %(receipt_id)s and state = 'received'
