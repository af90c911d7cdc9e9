-- writes a record of its own into the log of the database, which holds no row: can it be written to?
select
    pg_is_in_recovery() as is_standby,
    pg_logical_emit_message(true, 'sluice', 'ready?')::text as written_at
