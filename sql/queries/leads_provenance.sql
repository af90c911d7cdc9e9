-- the latest change of each field of some leads: whose word the value is
select distinct on (c.lead_id, c.field)
    c.lead_id,
    c.field,
    c.receipt_id,
    c.row_number,
    t.occurred_at,
    r.source,
    r.kind
from lead_changes as c
inner join touches as t on c.receipt_id = t.receipt_id and c.row_number = t.row_number
inner join receipts as r on c.receipt_id = r.receipt_id
where c.lead_id = any(%(lead_ids)s)
order by c.lead_id asc, c.field asc, c.receipt_id desc, c.row_number desc
