-- in which version files were claimed, and when
select
    key,
    version,
    claimed_at,
    submitted_at
from drops
where bucket = %(bucket)s and key = any(%(keys)s::text[])
