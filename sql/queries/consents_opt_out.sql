-- people who asked by mail not to be written to
insert into consents (address_key, channel, purpose, verdict, receipt_id, row_number)
select
    o.address_key,
    'email' as channel,
    'marketing' as purpose,
    'opted_out' as verdict,
    o.receipt_id,
    o.row_number
from unnest(%(keys)s::text[], %(receipt_ids)s::bigint[], %(rows)s::bigint[]) as o (address_key, receipt_id, row_number)
on conflict do nothing
