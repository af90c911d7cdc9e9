-- small receipts are worked whole, in the transaction of their rows
update receipts as r
set
    state = 'done',
    finished_at = now(),
    row_count = d.rows,
    checkpoint = d.rows,
    header = d.header,
    survey = d.survey
from (
    select
        g.receipt_id,
        g.rows,
        g.survey,
        (
            select array_agg(n.value order by n.place)
            from jsonb_array_elements_text(g.header) with ordinality as n (value, place)
        )
            as header
    from unnest(%(receipt_ids)s::bigint[], %(rows)s::bigint[], %(headers)s::jsonb[], %(surveys)s::jsonb[])
        as g (receipt_id, rows, header, survey)
) as d
where r.receipt_id = d.receipt_id
