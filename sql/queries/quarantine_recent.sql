-- how many arrivals of each source were quarantined lately
select
    source,
    count(*) as arrivals
from receipts
where
    state = 'failed' and kind in ('form', 'api', 'mailbox')
    and coalesce(finished_at, received_at) > %(since)s
group by source
order by source
