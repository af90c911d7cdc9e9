-- who owns the leads that a receipt touched
select
    coalesce(l.owner, l.team || ' (queue)') as owner,
    count(distinct l.lead_id) as leads
from touches as t
inner join leads as l on t.lead_id = l.lead_id
where t.receipt_id = %(receipt_id)s
group by 1
order by 2 desc, 1
