-- mails by their message id, so that an answer finds the one it answers; the first word about one counts
insert into messages (message_id, receipt_id, sent_at)
select
    m.message_id,
    m.receipt_id,
    m.sent_at
from
    unnest(%(message_ids)s::text[], %(receipt_ids)s::bigint[], %(times)s::timestamptz[])
        as m (message_id, receipt_id, sent_at)
order by m.message_id
on conflict (message_id) do nothing
