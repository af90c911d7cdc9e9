-- the receipts that hold the claims on some keys, with what each was posted as
select
    r.receipt_id,
    r.source,
    r.key,
    r.sha256
from unnest(%(sources)s::text[], %(keys)s::text[]) as k (source, key)
inner join receipts as r
    on
        k.source = r.source and k.key = r.key
        and r.state <> 'undone' and (r.state <> 'failed' or r.kind in ('form', 'api', 'mailbox'))
