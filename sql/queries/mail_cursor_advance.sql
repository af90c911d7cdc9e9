-- so far a folder is read; of two who read it, the one who is behind takes nothing back
update mail_cursors
set
    last_uid = greatest(last_uid, %(last_uid)s),
    updated_at = now()
where account = %(account)s and folder = %(folder)s and uidvalidity = %(uidvalidity)s
