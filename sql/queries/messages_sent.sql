-- messages that went out, so that a reply finds its campaign; the first word about one counts
insert into messages (message_id, campaign, sent_at)
select
    m.message_id,
    m.campaign,
    m.sent_at
from
    unnest(%(message_ids)s::text[], %(campaigns)s::text[], %(times)s::timestamptz[])
        as m (message_id, campaign, sent_at)
order by m.message_id
on conflict (message_id) do nothing
