-- the latest mails that are stored whole or in part, youngest first
select
    receipt_id,
    body
from receipts
where kind = 'mailbox' and body is not null and state <> 'undone' and receipt_id < %(before)s
order by receipt_id desc
limit 1
