-- what became of the rows of some small receipts, by source
select
    r.source,
    count(*) as receipts,
    count(*) filter (where r.state = 'failed') as quarantined,
    coalesce(sum(l.row_count), 0)::bigint as row_count,
    sum(l.created)::bigint as created,
    sum(l.updated)::bigint as updated,
    sum(l.unchanged)::bigint as unchanged,
    sum(l.flagged)::bigint as flagged,
    sum(l.rejects)::bigint as rejects,
    sum(l.set_asides)::bigint as set_asides
from unnest(%(receipt_ids)s::bigint[]) as w (receipt_id)
inner join receipts as r on w.receipt_id = r.receipt_id
inner join receipt_ledger as l on r.receipt_id = l.receipt_id
group by r.source
order by r.source
