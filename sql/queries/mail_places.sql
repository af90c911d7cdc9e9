-- which places were read already, and what was found there
select
    key,
    sha256
from receipts
where source = %(source)s and key = any(%(keys)s::text[]) and state <> 'undone'
