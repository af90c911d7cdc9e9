-- whether this is the key that the list is made with; the first one that is used becomes it
with made as (
    insert into suppression_keys (fingerprint)
    select %(fingerprint)s
    where not exists (select 1 from suppression_keys)
    returning fingerprint
)

select
    exists (select 1 from made)
    or exists (
        select 1 from suppression_keys
        where fingerprint = %(fingerprint)s
    )
