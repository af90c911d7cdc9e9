-- a do-not-call counts for every lead with the number, whichever arrival said it (nameless: tel:number|org:company)
update leads as l
set do_not_call = true
from consents as c
where
    c.address_key = any(%(keys)s)
    and c.channel = 'phone'
    and c.verdict = 'opted_out'
    and not l.do_not_call
    and (
        (l.person_key >= substr(c.address_key, 5) || '|' and l.person_key < substr(c.address_key, 5) || '}')
        or (l.identity_key >= c.address_key || '|' and l.identity_key < c.address_key || '}')
    )
