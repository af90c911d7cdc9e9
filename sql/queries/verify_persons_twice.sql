-- I3: persons with more than one open, unflagged lead
select
    min(lead_id) as lead_id,
    count(*) as leads
from leads
where is_open and not is_flagged
group by identity_key
having count(*) > 1
