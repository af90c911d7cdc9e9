-- stores what was posted, and wakes the inbox; of what is claimed already no row comes back
with made as (
    insert into receipts (
        source, key, kind, state, name, size_bytes, sha256, body, envelope, config_id, failure, occurred_at, finished_at
    )
    select
        a.source, a.key, a.kind, a.state, a.name, a.size_bytes, a.sha256, a.body, a.envelope::jsonb, a.config_id,
        a.failure::jsonb, a.occurred_at,
        case when a.state = 'failed' then now() end as finished_at
    from
        unnest(
            %(sources)s::text[], %(keys)s::text[], %(kinds)s::text[], %(states)s::text[], %(names)s::text[],
            %(sizes)s::bigint[], %(fingerprints)s::bytea[], %(bodies)s::bytea[], %(envelopes)s::text[],
            %(config_ids)s::integer[], %(failures)s::text[], %(times)s::timestamptz[]
        )
            as a (
                source, key, kind, state, name, size_bytes, sha256, body, envelope, config_id, failure, occurred_at
            )
    order by a.source, a.key -- two writers with the same keys wait for each other in one order
    on conflict (source, key) where state <> 'undone' and (state <> 'failed' or kind in ('form', 'api', 'mailbox'))
    do nothing
    returning receipt_id, source, key
)

select
    receipt_id,
    source,
    key,
    pg_notify('sluice_inbox', '') as told
from made
