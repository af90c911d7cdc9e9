-- all arrivals of a source that could not be worked are let in again, by the rules in force now
update receipts
set
    state = 'received',
    attempts = 0,
    retry_at = null,
    failure = null,
    finished_at = null,
    config_id = %(config_id)s
where source = %(source)s and state = 'failed' and kind in ('form', 'api', 'mailbox') and body is not null
returning receipt_id
