-- a reading of a folder ended; of those that found nothing only the last is kept, and all for 90 days
with ended as (
    update mail_syncs
    set
        ended_at = now(),
        note = left(nullif(concat_ws(' ', note, %(note)s::text), ''), 4000),
        failure = %(failure)s,
        needs_person = %(needs_person)s
    where sync_id = %(sync_id)s
    returning sync_id, account, folder, note
)

delete from mail_syncs as s
using ended as e
where
    s.account = e.account and s.folder = e.folder and s.sync_id < e.sync_id
    and (
        s.began_at < now() - interval '90 days'
        or (
            s.ended_at is not null and s.failure is null and (s.note is null or s.note = e.note)
            and s.stored = 0 and s.known = 0 and s.refused = 0
        )
    )
