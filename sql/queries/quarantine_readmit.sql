-- what could not be worked is let in again, by the rules in force now: one arrival, or all of a source
update receipts
set
    state = 'received',
    attempts = 0,
    retry_at = null,
    failure = null,
    finished_at = null,
    config_id = %(config_id)s
where
    (receipt_id = %(receipt_id)s::bigint or source = %(source)s::text)
    and state = 'failed' and kind in ('form', 'api', 'mailbox') and body is not null
returning receipt_id
