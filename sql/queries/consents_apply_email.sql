-- an opt-out counts for every lead of the address, whichever arrival said it (role mailboxes: address|name)
update leads as l
set email_opt_out = true
from consents as c
where
    c.address_key = any(%(keys)s)
    and c.channel = 'email'
    and c.verdict = 'opted_out'
    and not l.email_opt_out
    and (
        l.identity_key = c.address_key
        or (l.identity_key >= c.address_key || '|' and l.identity_key < c.address_key || '}')
    )
