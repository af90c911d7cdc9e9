-- who owned a lead, and why; the current assignment last
select
    team,
    owner,
    rule,
    reason,
    candidates,
    turn_before,
    turn_after,
    config_id,
    assigned_at,
    ended_at
from assignments
where lead_id = %(lead_id)s
order by assignment_id
