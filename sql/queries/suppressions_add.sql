-- people who stay out from now on
insert into suppressions (person_hash, kind, reason)
select
    h.person_hash,
    %(kind)s,
    %(reason)s
from unnest(%(person_hashes)s::bytea[]) as h (person_hash)
on conflict (person_hash, kind) do nothing
