-- an assignment that a new one replaces
update assignments
set ended_at = now()
where lead_id = any(%(lead_ids)s) and ended_at is null
