-- what every row became, under the name of its content
select
    became.kind,
    jsonb_build_array(r.source, r.key, became.row_number, became.line)::text as line
from (
    select
        t.receipt_id,
        'touch' as kind,
        t.row_number,
        jsonb_build_array(l.identity_key, c.canonical_name, t.record, t.warnings) as line
    from touches as t
    left join leads as l on t.lead_id = l.lead_id
    left join companies as c on t.company_id = c.company_id
    union all
    select
        j.receipt_id,
        'reject' as kind,
        j.row_number,
        jsonb_build_array(j.record, j.problems) as line
    from rejects as j
    union all
    select
        s.receipt_id,
        'set_aside' as kind,
        s.row_number,
        jsonb_build_array(s.record, s.kind) as line
    from set_asides as s
) as became
inner join receipts as r on became.receipt_id = r.receipt_id
order by 1, 2
