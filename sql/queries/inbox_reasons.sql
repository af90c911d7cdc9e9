-- why rows of some small receipts were refused, and why some could not be read at all, most frequent first
with chosen as (
    select
        r.receipt_id,
        r.source,
        r.state,
        r.failure
    from unnest(%(receipt_ids)s::bigint[]) as w (receipt_id)
    inner join receipts as r on w.receipt_id = r.receipt_id
),

reasons as (
    select
        c.source,
        p.value ->> 'field' as field,
        p.value ->> 'code' as code,
        p.value ->> 'meaning' as meaning,
        p.value ->> 'fix' as fix
    from chosen as c
    inner join rejects as j on c.receipt_id = j.receipt_id
    cross join lateral jsonb_array_elements(j.problems) as p (value)
    union all
    select
        source,
        'the whole body' as field,
        'quarantined' as code,
        failure ->> 'found' as meaning,
        failure ->> 'fix' as fix
    from chosen
    where state = 'failed'
)

select
    source,
    field,
    code,
    meaning,
    fix,
    count(*) as rows
from reasons
group by source, field, code, meaning, fix
order by count(*) desc, source, field asc
