-- I7: leads that do not show an opt-out of their address
select l.lead_id
from leads as l
inner join consents as c on c.address_key = 'mail:' || split_part(substr(l.identity_key, 6), '|', 1)
where l.identity_key like 'mail:%%' and c.channel = 'email' and c.verdict = 'opted_out' and not l.email_opt_out
