-- what the pre-pass found, once: a resumed receipt keeps what it has
update receipts
set
    state = 'working',
    survey = coalesce(survey, %(survey)s::jsonb),
    header = coalesce(header, %(header)s),
    row_count = coalesce(row_count, %(row_count)s)
where receipt_id = %(receipt_id)s and state in ('received', 'working')
