-- what is to be done about a lead
select
    action,
    kind,
    subject,
    owner,
    due_at,
    done_at
from activities
where lead_id = %(lead_id)s
order by activity_id
