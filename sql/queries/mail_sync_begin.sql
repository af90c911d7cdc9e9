-- a folder is read
insert into mail_syncs (account, folder)
values (%(account)s, %(folder)s)
returning sync_id
