-- whoever works the inbox looks at once
select pg_notify('sluice_inbox', '')
