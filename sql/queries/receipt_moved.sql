-- where the file lies now
update receipts
set moved_to = %(moved_to)s
where receipt_id = %(receipt_id)s
