-- bands and owners of the leads that some small receipts touched, by source
select
    r.source,
    coalesce(l.band, 'none') as band,
    coalesce(l.owner, l.team || ' (queue)') as owner,
    count(distinct l.lead_id) as leads
from unnest(%(receipt_ids)s::bigint[]) as w (receipt_id)
inner join receipts as r on w.receipt_id = r.receipt_id
inner join touches as t on r.receipt_id = t.receipt_id
inner join leads as l on t.lead_id = l.lead_id
group by 1, 2, 3
order by 4 desc, 1, 2, 3
