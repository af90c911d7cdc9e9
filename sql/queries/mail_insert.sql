-- stores mails; a known content becomes a duplicate of its first receipt, without rows
insert into receipts (
    source, key, kind, state, name, size_bytes, sha256, body, envelope, config_id, duplicate_of, failure, occurred_at,
    finished_at
)
select
    %(source)s as declared,
    m.key,
    'mailbox' as kind,
    m.state,
    m.name,
    m.size_bytes,
    m.sha256,
    m.body,
    m.envelope::jsonb,
    %(config_id)s as pinned,
    m.duplicate_of,
    m.failure::jsonb,
    m.occurred_at,
    case when m.state <> 'received' then now() end as finished_at
from
    unnest(
        %(keys)s::text[], %(states)s::text[], %(names)s::text[], %(sizes)s::bigint[], %(fingerprints)s::bytea[],
        %(bodies)s::bytea[], %(envelopes)s::text[], %(duplicates)s::bigint[], %(failures)s::text[],
        %(times)s::timestamptz[]
    )
        as m (key, state, name, size_bytes, sha256, body, envelope, duplicate_of, failure, occurred_at)
order by m.key
on conflict (source, key) where state <> 'undone' and (state <> 'failed' or kind in ('form', 'api', 'mailbox'))
do nothing
returning receipt_id, sha256
