-- small receipts are worked whole, in the transaction of their rows
update receipts as r
set
    state = 'done',
    finished_at = now(),
    row_count = d.rows,
    checkpoint = d.rows,
    header = array(select jsonb_array_elements_text(d.header)),
    survey = d.survey
from unnest(
    %(receipt_ids)s::bigint [], %(rows)s::bigint [], %(headers)s::jsonb [], %(surveys)s::jsonb []
) as d (receipt_id, rows, header, survey)
where r.receipt_id = d.receipt_id
