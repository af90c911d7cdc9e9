-- an action fires once for a lead, however often it enters the band
insert into activities (lead_id, action, kind, subject, owner, due_at, receipt_id)
select
    lead_id,
    action,
    kind,
    subject,
    owner,
    due_at,
    receipt_id
from staged_activities
on conflict (lead_id, action) do nothing
