-- where a receipt stands
select checkpoint from receipts
where receipt_id = %(receipt_id)s
