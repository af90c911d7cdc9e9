-- a slice's leads on their way in; gone with the transaction
create temporary table staged_leads (like leads) on commit drop
