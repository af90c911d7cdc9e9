-- explained: leads whose score is not the sum of its lines
select lead_id
from leads
where score is distinct from coalesce((select sum(p) from unnest(score_points) as p), 0)
