-- Companies carry the keys they are found under: a row of its own per key, with its foreign key, cost an import more
-- than the company itself. Indexes of leads and of what leads bring that served no query go.

alter table companies
add column start_key text, -- the first letters of the canonical name, without blanks
add column word_key text, -- its longest word, where that is longer
add column letters smallint; -- of the canonical name: names of other lengths cannot be alike

update companies as c
set
    start_key = (
        select min(substr(k.key, 3)) from company_keys as k
        where k.company_id = c.company_id and k.key like 's:%'
    ),
    word_key = (
        select min(substr(k.key, 3)) from company_keys as k
        where k.company_id = c.company_id and k.key like 'w:%'
    ),
    letters = least(length(c.canonical_name), 32767);

drop table company_keys;
create index companies_start_key on companies (start_key, letters); -- companies_alike
create index companies_word_key on companies (word_key, letters) where word_key is not null; -- companies_alike

-- Most numbers stand at the start of their lead's person key: only the others need an index.
drop index leads_phone;
create index leads_phone on leads (phone) -- consents_apply_phone
where phone is not null and (person_key is null or not starts_with(person_key, phone || '|'));

-- Nobody asks for an assignment or an activity by its number.
alter table assignments drop constraint assignments_pkey;
alter table activities drop constraint activities_pkey;
alter table activities drop constraint activities_lead_id_action_key;
alter table activities add primary key (lead_id, action); -- entering a band fires its action once
