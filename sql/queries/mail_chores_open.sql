-- what is still to be moved or marked, oldest first
select uid from mail_chores
where account = %(account)s and folder = %(folder)s and uidvalidity = %(uidvalidity)s
order by uid
limit %(most)s
