-- numbers for companies to be
select nextval(pg_get_serial_sequence('companies', 'company_id')) as id
from generate_series(1, %(many)s)
