-- leads that rows may turn out to be: by identity (open ones by index leads_identity_key), or by phone + full name
select
    l.*,
    r.source,
    r.kind
from leads as l
inner join receipts as r on l.receipt_id = r.receipt_id
where
    l.lead_id in (
        select i.lead_id from leads as i
        where i.identity_key = any(%(identities)s::text[]) and i.is_open and not i.is_flagged
        union
        select a.lead_id from leads as a
        where a.identity_key = any(%(identities)s::text[]) and (not a.is_open or a.is_flagged)
        union
        select p.lead_id from leads as p
        where p.person_key = any(%(persons)s::text[])
    )
order by l.lead_id
