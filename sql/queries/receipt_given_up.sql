-- the receipt that was given up when this content was last read at this place
select receipt_id
from receipts
where state = 'failed' and object_url = %(object_url)s and sha256 = decode(%(sha256)s, 'hex')
order by receipt_id desc
limit 1
