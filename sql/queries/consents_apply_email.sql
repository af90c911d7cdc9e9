-- an opt-out counts for every lead of the address, whichever arrival said it (role mailboxes: address|name);
-- each branch is one index of leads: one condition with "or" would compare every wish with every lead
with wished as (
    select distinct
        c.address_key as key,
        c.address_key || '|' as key_from,
        c.address_key || '}' as key_below
    from consents as c
    where c.address_key = any(%(keys)s::text[]) and c.channel = 'email' and c.verdict = 'opted_out'
),

meant as (
    select l.lead_id
    from wished as w
    inner join leads as l on w.key = l.identity_key and l.is_open and not l.is_flagged
    union all
    select l.lead_id
    from wished as w
    inner join leads as l on w.key = l.identity_key and (not l.is_open or l.is_flagged)
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
set email_opt_out = true
where lead_id = any(array(select m.lead_id from meant as m)) and not email_opt_out
