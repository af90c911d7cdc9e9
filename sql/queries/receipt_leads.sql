-- leads that the rows of a receipt touched, in row order
select lead_id from touches
where receipt_id = %(receipt_id)s and lead_id is not null
order by row_number
