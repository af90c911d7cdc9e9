-- rejected rows in order; of one receipt, or of all
select
    j.receipt_id,
    r.name,
    j.row_number,
    j.line,
    j.record,
    j.problems
from rejects as j
inner join receipts as r on j.receipt_id = r.receipt_id
where (%(receipt_id)s::bigint is null or j.receipt_id = %(receipt_id)s::bigint)
order by j.receipt_id, j.row_number
limit %(most)s
