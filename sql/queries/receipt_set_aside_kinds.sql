-- why rows of a receipt were set aside
select
    kind,
    count(*) as rows
from set_asides
where receipt_id = %(receipt_id)s
group by kind
order by count(*) desc, kind
