-- how much is stored, and in what
select
    current_setting('server_version') as server_version,
    (
        select count(*) from migrations
        where name <> 'views'
    ) as migrations,
    (select count(*) from leads) as leads,
    (select count(*) from companies) as companies,
    (select count(*) from receipts) as receipts
