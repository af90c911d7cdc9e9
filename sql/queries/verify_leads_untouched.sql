-- I5: leads that no row made
select l.lead_id
from leads as l
left join touches as t on l.receipt_id = t.receipt_id and l.row_number = t.row_number
where t.receipt_id is null or t.lead_id <> l.lead_id
