-- how much waits, and for how many seconds the oldest
select
    count(*) as waiting,
    extract(epoch from now() - min(received_at)) as seconds
from receipts
where state = 'received' and kind in ('form', 'api', 'mailbox') and body is not null
