-- who vouched for what was posted
select envelope ->> 'vouched_by' as vouched_by from receipts
where receipt_id = %(receipt_id)s
