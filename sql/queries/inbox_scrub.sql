-- of receipts whose every row is an erased person's nothing is kept
update receipts as r
set
    body = null,
    envelope = null
where
    r.receipt_id = any(%(receipt_ids)s::bigint[])
    and not exists (
        select 1 from touches as t
        where t.receipt_id = r.receipt_id
    )
    and not exists (
        select 1 from rejects as j
        where j.receipt_id = r.receipt_id
    )
    and not exists (
        select 1 from set_asides as s
        where s.receipt_id = r.receipt_id and s.kind <> 'erased'
    )
    and exists (
        select 1 from set_asides as s
        where s.receipt_id = r.receipt_id
    )
