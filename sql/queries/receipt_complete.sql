-- rejected rows whose corrected row was accepted; and, up the chain of corrections, the rows those were corrected from
with marked as (
    select t.record[array_position(r.header, 'sluice_row')] as mark
    from receipts as r
    inner join touches as t on r.receipt_id = t.receipt_id
    where r.receipt_id = %(receipt_id)s
    union all
    select j.record[array_position(r.header, 'sluice_row')] as mark
    from rejects as j
    inner join receipts as r on j.receipt_id = r.receipt_id
    where j.completed_by = %(receipt_id)s
),

named as (
    select
        substring(mark from 'R[0-9]{1,18}-[0-9]{1,18}-[0-9a-f]{8}') as mark,
        substring(mark from 'R([0-9]{1,18})-[0-9]{1,18}-[0-9a-f]{8}')::bigint as receipt_id,
        substring(mark from 'R[0-9]{1,18}-([0-9]{1,18})-[0-9a-f]{8}')::bigint as row_number
    from marked
)

update rejects as j
set completed_by = %(receipt_id)s
from named as n
inner join receipts as p on n.receipt_id = p.receipt_id
where
    j.receipt_id = n.receipt_id
    and j.row_number = n.row_number
    and j.completed_by is null
    -- the mark holds a digest of the file it was refused from, so that a number from elsewhere completes nothing
    and n.mark = 'R' || p.receipt_id || '-' || n.row_number || '-' || left(
        encode(
            sha256(convert_to(encode(p.sha256, 'hex') || ':' || p.receipt_id || ':' || n.row_number, 'UTF8')), 'hex'
        ),
        8
    )
