-- leads by number, by identity (e-mail), youngest first
select
    l.*,
    c.name as company_is,
    c.canonical_name
from leads as l
left join companies as c on l.company_id = c.company_id
where
    l.lead_id = %(lead_id)s::bigint
    or l.identity_key = %(identity)s::text
    or (l.identity_key >= %(identity)s::text || '|' and l.identity_key < %(identity)s::text || '}')
order by l.is_open desc, l.is_flagged asc, l.lead_id desc
