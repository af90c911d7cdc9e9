-- every arrival of a lead, first to last
select
    t.receipt_id,
    t.row_number,
    t.line,
    t.outcome,
    t.lead_source,
    t.campaign,
    t.occurred_at,
    t.record,
    t.warnings,
    r.source,
    r.kind,
    r.name,
    r.header,
    r.survey -> 'mapping' as mapping,
    r.received_at
from touches as t
inner join receipts as r on t.receipt_id = r.receipt_id
where t.lead_id = %(lead_id)s
order by t.receipt_id, t.row_number
