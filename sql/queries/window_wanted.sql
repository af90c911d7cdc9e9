-- whether somebody waits to take a post over
select
    exists(
        select 1
        from pg_locks as l
        inner join pg_database as d on l.database = d.oid
        where
            l.locktype = 'advisory' and l.classid = 0 and l.objid = %(lock)s and l.objsubid = 1
            and not l.granted and d.datname = current_database()
    )
