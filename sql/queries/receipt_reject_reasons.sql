-- why rows of a receipt were refused, most frequent first
select
    p.value ->> 'field' as field,
    p.value ->> 'code' as code,
    p.value ->> 'meaning' as meaning,
    p.value ->> 'fix' as fix,
    count(*) as rows
from rejects as r
cross join lateral jsonb_array_elements(r.problems) as p (value)
where r.receipt_id = %(receipt_id)s
group by 1, 2, 3, 4
order by 5 desc, 1, 2
