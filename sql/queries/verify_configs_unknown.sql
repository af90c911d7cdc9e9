-- explained: decisions whose config is not kept
select l.lead_id
from leads as l
left join config_versions as v on l.config_id = v.config_id
where v.config_id is null
