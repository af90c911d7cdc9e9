-- rows of a receipt that were taken for spam and are released now, with what they say
update set_asides as s
set released_at = now()
from receipts as r
where
    s.receipt_id = r.receipt_id and s.receipt_id = %(receipt_id)s and s.kind = 'spam' and s.released_at is null
    and (%(row_number)s::bigint is null or s.row_number = %(row_number)s::bigint)
returning s.row_number, s.record, r.header, r.source, r.kind, r.name, r.occurred_at
