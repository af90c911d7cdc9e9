-- moved or marked, or gone
delete from mail_chores
where
    account = %(account)s and folder = %(folder)s and uidvalidity = %(uidvalidity)s
    and uid = any(%(uids)s::bigint[])
