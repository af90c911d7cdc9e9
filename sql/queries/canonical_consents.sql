-- every wish of a person, under the name of the content that said it
select
    'consent' as kind,
    jsonb_build_array(c.address_key, c.channel, c.purpose, c.verdict, r.source, r.key, c.row_number)::text as line
from consents as c
inner join receipts as r on c.receipt_id = r.receipt_id
order by 2
