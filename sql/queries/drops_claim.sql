-- claims files for a run; those come back that nobody claimed before in this version. Two watchers claim in the same
-- order, so that neither waits for the other in a circle
insert into drops (bucket, key, version, run_key)
select
    f.place,
    f.key,
    f.version,
    f.run_key
from (
    select
        %(bucket)s as place,
        unnest(%(keys)s::text[]) as key,
        unnest(%(versions)s::text[]) as version,
        '' as run_key
) as f
order by f.key
on conflict (bucket, key) do update
    set
        version = excluded.version,
        run_key = '',
        claimed_at = now(),
        submitted_at = null
    where drops.version <> excluded.version
returning key, version
