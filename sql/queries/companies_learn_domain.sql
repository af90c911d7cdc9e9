-- companies whose own domain became known
update companies as c
set domain = s.domain
from unnest(%(company_ids)s::bigint[], %(domains)s::text[]) as s (company_id, domain)
where c.company_id = s.company_id and c.domain is null
