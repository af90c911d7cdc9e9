-- known leads with their surviving values, on their way in; made once for a connection, empty after each transaction
create temporary table if not exists staged_updates (like leads including defaults) on commit delete rows
