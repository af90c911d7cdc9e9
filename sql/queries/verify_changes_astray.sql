-- explained: changes of a lead that no touch made
select
    c.receipt_id,
    c.row_number
from lead_changes as c
left join touches as t on c.receipt_id = t.receipt_id and c.row_number = t.row_number
where t.lead_id is distinct from c.lead_id
