-- an action fires once for a lead, however often it enters the band
insert into activities (lead_id, action, kind, subject, owner, due_at, receipt_id)
select
    a.lead_id,
    %(action)s,
    %(kind)s,
    %(subject)s,
    a.owner,
    %(due_at)s,
    %(receipt_id)s
from unnest(%(lead_ids)s::bigint[], %(owners)s::text[]) as a (lead_id, owner)
on conflict (lead_id, action) do nothing
