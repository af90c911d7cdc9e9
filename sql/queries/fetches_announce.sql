-- a lead that was only announced is an arrival of its own, without a body until it is fetched
insert into receipts (source, key, kind, state, name, size_bytes, sha256, envelope, config_id, parent_id, occurred_at)
select
    %(source)s,
    a.key,
    'form' as kind,
    'received' as state,
    a.name,
    0 as size_bytes,
    a.sha256,
    a.envelope,
    %(config_id)s,
    %(parent_id)s,
    %(occurred_at)s
from
    unnest(%(keys)s::text[], %(names)s::text[], %(fingerprints)s::bytea[], %(envelopes)s::jsonb[])
        as a (key, name, sha256, envelope)
on conflict (source, key) where state <> 'undone' and (state <> 'failed' or kind in ('form', 'api', 'mailbox'))
do nothing
returning receipt_id
