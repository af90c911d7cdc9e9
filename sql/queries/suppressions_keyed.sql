-- whether the list is made with a key already
select exists(select 1 from suppression_keys)
