-- a config as it was
select
    hash,
    profile,
    content
from config_versions
where config_id = %(config_id)s
