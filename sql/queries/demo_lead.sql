-- a lead worth explaining: several arrivals, a high score, an owner
select l.lead_id
from leads as l
inner join touches as t on l.lead_id = t.lead_id
where l.owner is not null and not l.is_flagged
group by l.lead_id
order by least(count(*), 3) desc, max(l.score) desc, l.lead_id
limit 1
