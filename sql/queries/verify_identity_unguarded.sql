-- I3: the unique index that decides races is missing
select 'leads_identity_key' as missing
where to_regclass('sluice.leads_identity_key') is null
