-- all rows are in: the receipt is done
update receipts
set
    state = 'done',
    finished_at = now()
where receipt_id = %(receipt_id)s and state = 'working' and checkpoint = row_count
returning receipt_id, parent_id
