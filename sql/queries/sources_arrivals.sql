-- when the latest files with rows came, by source, youngest first; corrected rejects are no sign of life
select
    source,
    array_agg(received_at order by received_at desc) as arrivals
from (
    select
        source,
        received_at,
        row_number() over (partition by source order by received_at desc) as place
    from receipts
    where state = 'done' and kind != 'manual' and row_count > 0 and parent_id is null
) as latest
where place <= %(most)s
group by source
order by source
