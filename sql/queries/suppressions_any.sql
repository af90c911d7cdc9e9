-- whether anybody stays out
select exists(select 1 from suppressions)
