-- counts how often receipts came again
update receipts as r
set
    replays = r.replays + c.times,
    replayed_at = now()
from unnest(%(receipt_ids)s::bigint[], %(times)s::integer[]) as c (receipt_id, times)
where r.receipt_id = c.receipt_id
