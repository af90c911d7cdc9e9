-- a do-not-call counts for every lead with the number, whichever arrival said it (without a name: tel:number|org:…);
-- each branch is one index of leads: one condition with "or" would compare every wish with every lead
with wished as (
    select distinct
        substr(c.address_key, 5) as number,
        substr(c.address_key, 5) || '|' as person_from,
        substr(c.address_key, 5) || '}' as person_below,
        c.address_key || '|' as key_from,
        c.address_key || '}' as key_below
    from consents as c
    where c.address_key = any(%(keys)s::text[]) and c.channel = 'phone' and c.verdict = 'opted_out'
),

meant as (
    select l.lead_id
    from wished as w
    inner join leads as l on w.number = l.phone
    where l.person_key is null or not starts_with(l.person_key, l.phone || '|')
    union all
    select l.lead_id
    from wished as w
    inner join leads as l on w.person_from <= l.person_key and w.person_below > l.person_key
    union all
    select l.lead_id
    from wished as w
    inner join leads as l on w.key_from <= l.identity_key and w.key_below > l.identity_key
    where l.is_open and not l.is_flagged
    union all
    select l.lead_id
    from wished as w
    inner join leads as l on w.key_from <= l.identity_key and w.key_below > l.identity_key
    where not l.is_open or l.is_flagged
)

update leads
set do_not_call = true
where lead_id = any(array(select m.lead_id from meant as m)) and not do_not_call
