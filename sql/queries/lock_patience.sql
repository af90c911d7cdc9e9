-- this transaction, or this session, gives up soon if somebody is in its way, or if the server is slow
select
    set_config('lock_timeout', %(milliseconds)s::text, %(in_transaction)s::boolean) as lock_timeout,
    set_config('statement_timeout', %(milliseconds)s::text, %(in_transaction)s::boolean) as statement_timeout
