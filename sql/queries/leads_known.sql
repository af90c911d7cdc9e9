-- leads that rows may turn out to be: by identity (open ones by index leads_identity_key), or by phone + full name;
-- what is known about a lead, and then the fields that rows are folded into
select
    l.lead_id,
    l.identity_key,
    l.person_key,
    l.receipt_id,
    l.row_number,
    l.stated_at,
    r.source,
    r.kind,
    l.is_open,
    l.is_flagged,
    l.owner,
    l.team,
    l.band,
    l.attributes,
    l.salutation,
    l.first_name,
    l.middle_name,
    l.last_name,
    l.full_name,
    l.email,
    l.email_domain,
    l.email_verdict,
    l.email_is_free,
    l.email_is_role,
    l.email_is_disposable,
    l.phone,
    l.phone_country_source,
    l.company,
    l.company_domain,
    l.website,
    l.company_id,
    l.title,
    l.seniority,
    l.department,
    l.annual_revenue,
    l.annual_revenue_currency,
    l.street,
    l.city,
    l.state,
    l.zip,
    l.country,
    l.mobile,
    l.industry,
    l.employees,
    l.language,
    l.product,
    l.priority,
    l.rating,
    l.budget,
    l.timeline,
    l.description,
    l.next_follow_up,
    l.lead_source,
    l.campaign,
    l.channel,
    l.external_id,
    l.tags,
    l.email_opt_out,
    l.do_not_call
from leads as l
inner join receipts as r on l.receipt_id = r.receipt_id
where
    l.lead_id in (
        select i.lead_id from leads as i
        where i.identity_key = any(%(identities)s::text[]) and i.is_open and not i.is_flagged
        union
        select a.lead_id from leads as a
        where a.identity_key = any(%(identities)s::text[]) and (not a.is_open or a.is_flagged)
        union
        select p.lead_id from leads as p
        where p.person_key = any(%(persons)s::text[])
    )
order by l.lead_id
