-- of some people those who stay out
select
    person_hash,
    kind
from suppressions
where person_hash = any(%(person_hashes)s::bytea[])
