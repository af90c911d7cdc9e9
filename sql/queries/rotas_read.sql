-- levels of the rotas; read inside the load transaction, so no turn is taken twice
select
    team,
    person,
    level
from rotas
order by team, person
for update
