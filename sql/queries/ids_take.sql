-- the first of so many numbers for leads and for companies to be; whoever else takes one meanwhile, without the slice
-- lock, makes the slice be done anew
select
    setval(l.seq, nextval(l.seq) + greatest(%(leads)s, 1) - 1) - greatest(%(leads)s, 1) + 1 as first_lead,
    setval(c.seq, nextval(c.seq) + greatest(%(companies)s, 1) - 1) - greatest(%(companies)s, 1) + 1 as first_company
from
    (select pg_get_serial_sequence('leads', 'lead_id')::regclass as seq) as l,
    (select pg_get_serial_sequence('companies', 'company_id')::regclass as seq) as c
