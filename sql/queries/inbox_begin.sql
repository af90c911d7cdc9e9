-- counted before it is worked: what kills its worker is known by it, and is then left alone for a while
update receipts
set
    attempts = attempts + 1,
    retry_at = case attempts
        when 0 then null
        when 1 then now() + interval '30 seconds'
        else now() + interval '2 minutes'
    end
where receipt_id = any(%(receipt_ids)s::bigint[]) and state = 'received'
