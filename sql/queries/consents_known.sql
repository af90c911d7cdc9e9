-- which of some addresses somebody has opted out of
select distinct
    channel,
    address_key
from consents
where address_key = any(%(keys)s::text[]) and verdict = 'opted_out'
