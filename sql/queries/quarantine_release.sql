-- a released row is an arrival of its own, which says where it was kept
insert into receipts (
    source, key, kind, state, name, size_bytes, sha256, body, envelope, config_id, parent_id, occurred_at
)
values (
    %(source)s, %(key)s, %(kind)s, 'received', %(name)s, %(size_bytes)s, %(sha256)s, %(body)s, %(envelope)s::jsonb,
    %(config_id)s, %(parent_id)s, %(occurred_at)s
)
on conflict (source, key) where state <> 'undone'
and (state <> 'failed' or kind in ('form', 'api', 'mailbox')) do nothing
returning receipt_id
