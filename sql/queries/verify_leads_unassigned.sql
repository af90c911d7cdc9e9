-- explained: open leads without an owner or a queue, or whose assignment says something else
select l.lead_id
from leads as l
left join assignments as a on l.lead_id = a.lead_id and a.ended_at is null
where
    a.assignment_id is null
    or a.owner is distinct from l.owner
    or a.team is distinct from l.team
