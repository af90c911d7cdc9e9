-- I1: touches whose lead or company is gone
select
    t.receipt_id,
    t.row_number
from touches as t
left join leads as l on t.lead_id = l.lead_id
left join companies as c on t.company_id = c.company_id
where (t.lead_id is not null and l.lead_id is null) or (t.company_id is not null and c.company_id is null)
