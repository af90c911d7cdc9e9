-- the ledger law, receipt by receipt: rows = touches + rejects + set-asides
create view receipt_ledger as
select
    r.receipt_id,
    r.source,
    r.name,
    r.state,
    r.row_count,
    coalesce(t.touches, 0) as touches,
    coalesce(t.created, 0) as created,
    coalesce(t.updated, 0) as updated,
    coalesce(t.unchanged, 0) as unchanged,
    coalesce(t.flagged, 0) as flagged,
    coalesce(j.rejects, 0) as rejects,
    coalesce(s.set_asides, 0) as set_asides,
    r.checkpoint,
    r.duplicate_of,
    r.received_at,
    r.finished_at,
    r.failure
from receipts as r
left join lateral (
    select
        count(*) as touches,
        count(*) filter (where x.outcome = 'created') as created,
        count(*) filter (where x.outcome = 'updated') as updated,
        count(*) filter (where x.outcome = 'unchanged') as unchanged,
        count(*) filter (where x.outcome = 'flagged') as flagged
    from touches as x
    where x.receipt_id = r.receipt_id
) as t on true
left join lateral (
    select count(*) as rejects
    from rejects as x
    where x.receipt_id = r.receipt_id
) as j on true
left join lateral (
    select count(*) as set_asides
    from set_asides as x
    where x.receipt_id = r.receipt_id
) as s on true;
