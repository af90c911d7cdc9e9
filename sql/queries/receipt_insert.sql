-- claims a content for a receipt; no row comes back if somebody has claimed it already
insert into receipts (
    source, key, kind, state, name, object_url, size_bytes, sha256, body, config_id, duplicate_of, again_of, parent_id,
    occurred_at, finished_at
)
values (
    %(source)s, %(key)s, %(kind)s, %(state)s, %(name)s, %(object_url)s, %(size_bytes)s, %(sha256)s, %(body)s,
    %(config_id)s, %(duplicate_of)s, %(again_of)s, %(parent_id)s, %(occurred_at)s,
    case when %(state)s = 'duplicate' then now() end
)
on conflict (source, key) where state <> 'undone'
and (state <> 'failed' or kind in ('form', 'api', 'mailbox')) do nothing
returning receipt_id
