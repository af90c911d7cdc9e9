-- a folder is read from the beginning: for the first time, or because its numbers mean other mails now
insert into mail_cursors as c (account, folder, uidvalidity, last_uid, since, since_uid)
values (%(account)s, %(folder)s, %(uidvalidity)s, 0, %(since)s, %(since_uid)s)
on conflict (account, folder) do update
    set
        uidvalidity = excluded.uidvalidity,
        last_uid = 0,
        since = c.since, -- said when it was first read, once and for all
        since_uid = excluded.since_uid,
        updated_at = now()
