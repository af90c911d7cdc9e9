-- keeps who holds a new key; of the key itself only its hash
insert into api_keys (key_id, hash, name, scopes, source, origins, expires_at)
values (
    %(key_id)s, %(hash)s, %(name)s, %(scopes)s::text[], %(source)s, %(origins)s::text[], %(expires_at)s::timestamptz
)
