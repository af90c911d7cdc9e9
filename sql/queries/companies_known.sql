-- companies that rows may belong to: by domain, by canonical name, or by a key of likeness
select * from companies
where
    company_id in (
        select d.company_id from companies as d
        where d.domain = any(%(domains)s)
        union
        select n.company_id from companies as n
        where n.canonical_name = any(%(names)s)
        union
        select k.company_id from company_keys as k
        where k.key = any(%(keys)s)
    )
order by company_id
