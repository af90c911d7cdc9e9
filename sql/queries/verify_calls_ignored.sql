-- I7: leads that do not show a do-not-call of their number
select l.lead_id
from leads as l
inner join consents as c on 'tel:' || l.phone = c.address_key
where c.channel = 'phone' and c.verdict = 'opted_out' and not l.do_not_call
