-- in which version files were claimed, and since when a run has them
select
    key,
    version,
    submitted_at
from drops
where bucket = %(bucket)s and key = any(%(keys)s::text[])
