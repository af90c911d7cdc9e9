-- begun long ago, not settled, and nobody holds the lock of whoever works it
select
    r.receipt_id,
    r.source,
    r.name,
    r.checkpoint,
    r.row_count,
    r.received_at
from receipts as r
where
    r.state in ('received', 'working') and r.kind in ('file', 'manual')
    and r.received_at < %(before)s
    and not exists (
        select 1
        from pg_locks as l
        inner join pg_database as d on l.database = d.oid
        where
            l.locktype = 'advisory'
            and l.classid = 7001
            and l.objid = (r.receipt_id %% 2147483647)
            and d.datname = current_database()
            and l.granted
    )
order by r.receipt_id
