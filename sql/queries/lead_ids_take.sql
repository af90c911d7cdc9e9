-- numbers for leads to be
select nextval(pg_get_serial_sequence('leads', 'lead_id')) as id
from generate_series(1, %(many)s)
