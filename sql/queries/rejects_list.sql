-- rejected rows in order; of one receipt, or of all; also those that a corrected file completed, or only what is open
select
    j.receipt_id,
    r.name,
    j.row_number,
    j.line,
    j.record,
    j.problems,
    j.completed_by
from rejects as j
inner join receipts as r on j.receipt_id = r.receipt_id
where
    (%(receipt_id)s::bigint is null or j.receipt_id = %(receipt_id)s::bigint)
    and (not %(only_open)s::boolean or j.completed_by is null)
order by j.receipt_id, j.row_number
limit %(most)s
