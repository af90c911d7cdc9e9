-- of some messages those that we sent or have, and the campaign of those that we sent
select
    message_id,
    campaign
from messages
where message_id = any(%(message_ids)s::text[])
