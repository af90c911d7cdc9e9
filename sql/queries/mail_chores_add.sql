-- stored, and still to be moved or marked; in the transaction that stores them
insert into mail_chores (account, folder, uidvalidity, uid)
select
    %(account)s,
    %(folder)s,
    %(uidvalidity)s,
    unnest(%(uids)s::bigint[]) as uid
on conflict do nothing
