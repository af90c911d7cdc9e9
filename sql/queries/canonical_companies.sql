-- every company without ids and times
select
    'company' as kind,
    jsonb_build_array(canonical_name, legal_class, country, domain)::text as line
from companies
order by 2
