-- all keys, the oldest first
select
    key_id, hash, name, scopes, source, origins, created_at, expires_at, revoked_at
from api_keys
order by created_at, key_id
