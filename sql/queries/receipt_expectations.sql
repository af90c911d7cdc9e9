-- what is expected of a receipt: the rules of its source as they were, and the columns of the source's file before it
select
    r.parent_id,
    c.content ->> ('sources/' || r.source || '.yml') as rules,
    (
        select b.header
        from receipts as b
        where b.source = r.source and b.state = 'done' and b.parent_id is null and b.receipt_id < r.receipt_id
        order by b.receipt_id desc
        limit 1
    ) as columns_before
from receipts as r
inner join config_versions as c on r.config_id = c.config_id
where r.receipt_id = %(receipt_id)s
