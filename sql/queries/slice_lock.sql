-- one load transaction at a time, whichever door its rows came by; its lookups go by index only: tables that grow
-- while they are read have no statistics that a plan could rest on
select
    pg_advisory_xact_lock(7002) as locked,
    set_config('enable_seqscan', 'off', true) as reads_no_table_through,
    set_config('enable_hashjoin', 'off', true) as hashes_no_table,
    set_config('enable_mergejoin', 'off', true) as sorts_no_table,
    set_config('max_parallel_workers_per_gather', '0', true) as has_no_helpers,
    set_config('jit', 'off', true) as compiles_nothing
