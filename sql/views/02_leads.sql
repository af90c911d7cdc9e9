-- what people read every day (S001-39 … S001-43)
create view my_open_leads as -- filter by owner (S001-39)
select
    lead_id,
    owner,
    team,
    full_name,
    company,
    email,
    phone,
    score,
    band,
    status,
    created_at
from leads
where is_open;

create view hot_leads as -- S001-40
select *
from my_open_leads
where lead_id in (
    select h.lead_id from leads as h
    where h.rating >= 4
);

create view recent_leads as -- S001-42
select *
from my_open_leads
order by created_at desc;

create view report_leads_by_source as -- S000-34, S001-43
select
    coalesce(lead_source, 'not stated') as lead_source,
    count(*) as leads,
    count(*) filter (where is_flagged) as flagged,
    round(avg(score), 1) as average_score
from leads
group by lead_source;

create view report_leads_by_band as -- S000-37
select
    coalesce(band, 'none') as band,
    count(*) as leads,
    count(*) filter (where owner is null) as in_queue
from leads
group by band;

create view current_consents as -- the strictest word counts, whenever it was said
select
    address_key,
    channel,
    purpose,
    case when bool_or(verdict = 'opted_out') then 'opted_out' else 'granted' end as verdict
from consents
group by address_key, channel, purpose;
