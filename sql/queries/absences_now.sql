-- who is away at a moment
select distinct person from absences
where away_from <= %(moment)s and away_until > %(moment)s
order by person
