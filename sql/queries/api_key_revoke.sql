-- ends a key; one that was revoked before keeps that time
update api_keys
set revoked_at = coalesce(revoked_at, now())
where key_id = %(key_id)s
returning revoked_at
