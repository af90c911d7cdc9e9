-- levels of the rotas after this slice
insert into rotas (team, person, level)
select * from unnest(%(teams)s::text[], %(persons)s::text[], %(levels)s::double precision[])
on conflict (team, person) do update set level = excluded.level
