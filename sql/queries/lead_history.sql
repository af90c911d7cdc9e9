-- every field of a lead that changed, in order
select
    c.field,
    c.old_value,
    c.new_value,
    c.rule,
    c.receipt_id,
    c.row_number,
    r.source,
    r.name,
    r.received_at
from lead_changes as c
inner join receipts as r on c.receipt_id = r.receipt_id
where c.lead_id = %(lead_id)s
order by c.receipt_id, c.row_number, c.field
