-- pairs that were judged when rows of a lead arrived
select
    d.level,
    d.verdict,
    d.score,
    d.explanation,
    d.kind,
    d.decided_by,
    d.left_receipt_id as receipt_id,
    d.left_row as row_number,
    o.lead_id as other_lead_id,
    o.company_id as other_company_id
from touches as t
inner join match_decisions as d on t.receipt_id = d.left_receipt_id and t.row_number = d.left_row
left join touches as o on d.right_receipt_id = o.receipt_id and d.right_row = o.row_number
where t.lead_id = %(lead_id)s and d.revoked_at is null
order by d.decision_id
