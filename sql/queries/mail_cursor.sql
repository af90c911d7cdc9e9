-- how far a folder was read
select
    uidvalidity,
    last_uid,
    since,
    since_uid
from mail_cursors
where account = %(account)s and folder = %(folder)s
