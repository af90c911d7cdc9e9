-- how a receipt and corrections belong together: rows it completed elsewhere, and what became of its own rejects
select
    count(*) filter (where j.completed_by = %(receipt_id)s) as completed_elsewhere,
    count(*) filter (where j.receipt_id = %(receipt_id)s and j.completed_by is not null) as completed,
    count(*) filter (where j.receipt_id = %(receipt_id)s and j.completed_by is null) as still_open
from rejects as j
where j.receipt_id = %(receipt_id)s or j.completed_by = %(receipt_id)s
