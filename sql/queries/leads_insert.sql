-- new leads; the unique identity decides, whoever else loads: fewer rows than staged: the slice must be redone
insert into leads (
    lead_id, identity_key, person_key, is_open, is_flagged, status, category, flagged_of, previous_lead_id,
    salutation, first_name, middle_name, last_name, full_name, email, email_domain, email_verdict, email_is_free,
    email_is_role, email_is_disposable, phone, phone_country_source, company, company_domain, website, company_id,
    title, seniority, department, annual_revenue, annual_revenue_currency, street, city, state, zip, country,
    mobile, industry, employees, language, lead_source, campaign, channel, product, priority, rating, budget,
    timeline, description, next_follow_up, external_id, tags, attributes, extra, email_opt_out, do_not_call, score,
    band, score_signals, score_points, config_id, owner, team, receipt_id, row_number, stated_at
)
select
    lead_id, identity_key, person_key, is_open, is_flagged, status, category, flagged_of, previous_lead_id,
    salutation, first_name, middle_name, last_name, full_name, email, email_domain, email_verdict, email_is_free,
    email_is_role, email_is_disposable, phone, phone_country_source, company, company_domain, website, company_id,
    title, seniority, department, annual_revenue, annual_revenue_currency, street, city, state, zip, country,
    mobile, industry, employees, language, lead_source, campaign, channel, product, priority, rating, budget,
    timeline, description, next_follow_up, external_id, tags, attributes, extra, email_opt_out, do_not_call, score,
    band, score_signals, score_points, config_id, owner, team, receipt_id, row_number, stated_at
from staged_leads
on conflict (identity_key) where is_open and not is_flagged do nothing
