-- given up with the reason, its bytes kept
update receipts
set
    state = 'failed',
    failure = %(failure)s::jsonb,
    finished_at = now()
where receipt_id = %(receipt_id)s and state = 'received'
