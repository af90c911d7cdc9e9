-- what became of each row of a receipt, in order, without what stood in it
select
    t.row_number,
    t.outcome,
    t.lead_id,
    l.owner,
    l.team,
    null as kind,
    null::jsonb as problems
from touches as t
left join leads as l on t.lead_id = l.lead_id
where t.receipt_id = %(receipt_id)s
union all
select
    r.row_number,
    'rejected' as outcome,
    null as lead_id,
    null as owner,
    null as team,
    null as kind,
    r.problems
from rejects as r
where r.receipt_id = %(receipt_id)s
union all
select
    s.row_number,
    'set_aside' as outcome,
    null as lead_id,
    null as owner,
    null as team,
    s.kind,
    null::jsonb as problems
from set_asides as s
where s.receipt_id = %(receipt_id)s
order by row_number
limit %(most)s
