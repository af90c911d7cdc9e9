-- the receipt as a whole cannot be worked; its claim on the content is free again
update receipts
set
    state = 'failed',
    failure = %(failure)s::jsonb,
    finished_at = now()
where receipt_id = %(receipt_id)s and state in ('received', 'working') and checkpoint = 0
returning receipt_id
