-- I5: rejects that are said to be completed by a receipt that corrects nothing, or is not done
select
    j.receipt_id,
    j.row_number,
    j.completed_by
from rejects as j
left join receipts as r on j.completed_by = r.receipt_id
where
    j.completed_by is not null
    and (
        r.receipt_id is null or r.parent_id is null or r.state not in ('done', 'undone') or r.receipt_id = j.receipt_id
    )
