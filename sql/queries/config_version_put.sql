-- the number of a config's content; the same content keeps its number
with known as (
    select config_id from config_versions
    where hash = %(hash)s
),

fresh as (
    insert into config_versions (hash, profile, content)
    select
        %(hash)s,
        %(profile)s,
        %(content)s::jsonb
    where not exists (select 1 from known)
    on conflict (hash) do nothing
    returning config_id
)

select config_id from known
union all
select config_id from fresh
