-- numbers that mean nothing any more
delete from mail_chores
where account = %(account)s and folder = %(folder)s and uidvalidity <> %(uidvalidity)s
