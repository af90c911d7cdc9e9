-- companies that rows name exactly: by their own domain or by their canonical name
select
    company_id,
    name,
    canonical_name,
    legal_class,
    domain,
    country,
    receipt_id,
    row_number
from companies
where
    company_id in (
        select d.company_id from companies as d
        where d.domain = any(%(domains)s::text[])
        union
        select n.company_id from companies as n
        where n.canonical_name = any(%(names)s::text[])
    )
