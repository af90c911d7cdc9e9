-- what a reading of a folder has found so far, in the transaction of the mails themselves
update mail_syncs
set
    stored = stored + %(stored)s,
    known = known + %(known)s,
    refused = refused + %(refused)s,
    note = left(nullif(concat_ws(' ', note, %(note)s::text), ''), 4000)
where sync_id = %(sync_id)s
