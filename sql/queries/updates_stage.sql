-- known leads with their surviving values, on their way in; gone with the transaction
create temporary table staged_updates (like leads) on commit drop
