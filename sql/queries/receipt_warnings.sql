-- warnings on the accepted rows of a receipt, most frequent first
select
    w.code,
    count(*) as rows
from touches as t
cross join lateral unnest(t.warnings) as w (code)
where t.receipt_id = %(receipt_id)s
group by w.code
order by count(*) desc, w.code
