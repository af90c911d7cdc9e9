-- known leads that got another owner
update leads as l
set
    owner = s.owner,
    team = s.team,
    updated_at = now()
from unnest(%(lead_ids)s::bigint[], %(owners)s::text[], %(teams)s::text[]) as s (lead_id, owner, team)
where l.lead_id = s.lead_id
