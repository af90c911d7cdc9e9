-- every lead without ids, times, owners, review items and what only its first row said
select
    'lead' as kind,
    (
        to_jsonb(l)
        - '{lead_id,flagged_of,is_flagged,previous_lead_id,company_id,config_id,receipt_id,row_number}'::text[]
        - '{stated_at,created_at,updated_at,owner,team,extra}'::text[]
        || jsonb_build_object('company_is', c.canonical_name)
    )::text as line
from leads as l
left join companies as c on l.company_id = c.company_id
order by 2
