-- each folder that was read: its cursor, what came since a time, its last success, and what has failed since then
select
    p.account,
    p.folder,
    c.uidvalidity,
    c.last_uid,
    ok.ended_at as succeeded_at,
    coalesce(n.stored, 0)::bigint as stored,
    coalesce(n.known, 0)::bigint as known,
    coalesce(n.refused, 0)::bigint as refused,
    n.note,
    (
        select count(*) from mail_chores as h
        where h.account = p.account and h.folder = p.folder
    ) as chores,
    bad.failures,
    bad.failed_since,
    bad.failed_at,
    bad.failure,
    coalesce(bad.needs_person, false) as needs_person,
    coalesce(bad.failures >= 3 or bad.needs_person or bad.failed_since < now() - interval '15 minutes', false)
        as is_failing,
    extract(epoch from now() - bad.failed_at) as failed_ago
from (
    select
        account,
        folder
    from mail_syncs
    union
    select
        account,
        folder
    from mail_cursors
) as p
left join mail_cursors as c on p.account = c.account and p.folder = c.folder
left join lateral (
    select
        s.sync_id,
        s.ended_at
    from mail_syncs as s
    where s.account = p.account and s.folder = p.folder and s.ended_at is not null and s.failure is null
    order by s.sync_id desc
    limit 1
) as ok on true
left join lateral (
    select
        sum(s.stored) as stored,
        sum(s.known) as known,
        sum(s.refused) as refused,
        string_agg(s.note, ' ' order by s.sync_id) as note
    from mail_syncs as s
    where s.account = p.account and s.folder = p.folder and s.began_at >= %(since)s
) as n on true
left join lateral (
    select
        count(*) as failures,
        min(s.ended_at) as failed_since,
        max(s.ended_at) as failed_at,
        (array_agg(s.failure order by s.sync_id desc))[1] as failure,
        (array_agg(s.needs_person order by s.sync_id desc))[1] as needs_person
    from mail_syncs as s
    where
        s.account = p.account and s.folder = p.folder and s.failure is not null and s.ended_at is not null
        and s.sync_id > coalesce(ok.sync_id, 0)
) as bad on true
order by p.account, p.folder
