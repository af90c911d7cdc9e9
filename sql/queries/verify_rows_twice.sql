-- I3: rows that became two things
select
    receipt_id,
    row_number
from (
    select receipt_id, row_number from touches
    union all
    select receipt_id, row_number from rejects
    union all
    select receipt_id, row_number from set_asides
) as became
group by receipt_id, row_number
having count(*) > 1
