-- an action fires once for a lead, however often it enters the band
insert into activities (lead_id, action, kind, subject, owner, due_at, receipt_id)
select
    a.lead_id,
    %(action)s,
    %(kind)s,
    %(subject)s,
    a.owner,
    %(due_at)s,
    a.receipt_id
from unnest(%(lead_ids)s::bigint[], %(owners)s::text[], %(receipt_ids)s::bigint[]) as a (lead_id, owner, receipt_id)
on conflict (lead_id, action) do nothing
