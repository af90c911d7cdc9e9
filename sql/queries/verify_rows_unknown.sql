-- I5: rows that no receipt has
select
    t.receipt_id,
    t.row_number
from (
    select receipt_id, row_number from touches
    union all
    select receipt_id, row_number from rejects
    union all
    select receipt_id, row_number from set_asides
) as t
left join receipts as r on t.receipt_id = r.receipt_id
where r.receipt_id is null or t.row_number not between 1 and r.row_count
