-- stores what people did; of what is stored already no row comes back
insert into events (source, event_key, kind, person_key, properties, occurred_at)
select
    e.source, e.event_key, e.kind, e.person_key, e.properties::jsonb, e.occurred_at
from
    unnest(
        %(sources)s::text[], %(keys)s::text[], %(kinds)s::text[], %(people)s::text[], %(properties)s::text[],
        %(times)s::timestamptz[]
    ) as e (source, event_key, kind, person_key, properties, occurred_at)
order by e.source, e.event_key
on conflict (source, event_key) do nothing
returning event_key
