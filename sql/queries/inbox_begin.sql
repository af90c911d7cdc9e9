-- counted before it is worked: what kills its worker is known by it, and is then left alone for a while
update receipts
set
    attempts = attempts + 1,
    retry_at = now() + make_interval(secs => (%(pauses)s::float8[])[attempts])
where receipt_id = any(%(receipt_ids)s::bigint[]) and state = 'received'
