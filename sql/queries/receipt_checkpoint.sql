-- the last committed row; in the transaction of the rows themselves
update receipts
set checkpoint = %(row)s
where receipt_id = %(receipt_id)s and checkpoint = %(expected)s and state = 'working'
returning checkpoint
