-- pairs that a machine could not decide, oldest first
create view review_queue as
select
    d.decision_id,
    d.level,
    d.score,
    d.explanation,
    lt.lead_id as left_lead_id,
    rt.lead_id as right_lead_id,
    lt.company_id as left_company_id,
    rt.company_id as right_company_id,
    d.decided_at
from match_decisions as d
inner join touches as lt on d.left_receipt_id = lt.receipt_id and d.left_row = lt.row_number
inner join touches as rt on d.right_receipt_id = rt.receipt_id and d.right_row = rt.row_number
where d.verdict = 'unsure' and d.revoked_at is null
order by d.decided_at, d.decision_id;
