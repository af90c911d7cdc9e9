-- the receipt that holds the claim on a content
select * from receipts
where
    source = %(source)s
    and key = %(key)s
    and state <> 'undone'
    and (state <> 'failed' or kind in ('form', 'api', 'mailbox'))
