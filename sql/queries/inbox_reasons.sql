-- why rows of some small receipts were refused, and why some could not be read at all, most frequent first
select
    r.source,
    p.value ->> 'field' as field,
    p.value ->> 'code' as code,
    p.value ->> 'meaning' as meaning,
    p.value ->> 'fix' as fix,
    count(*) as rows
from unnest(%(receipt_ids)s::bigint []) as w (receipt_id)
inner join receipts as r on w.receipt_id = r.receipt_id
inner join rejects as j on r.receipt_id = j.receipt_id
cross join lateral jsonb_array_elements(j.problems) as p (value)
group by 1, 2, 3, 4, 5
union all
select
    source,
    'the whole body',
    'quarantined',
    failure ->> 'found',
    failure ->> 'fix',
    count(*)
from unnest(%(receipt_ids)s::bigint []) as w (receipt_id)
inner join receipts using (receipt_id)
where state = 'failed'
group by 1, 4, 5
order by 6 desc, 1, 2
