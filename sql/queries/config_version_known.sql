-- the number of a config's content, if it was stored before: asked with every arrival, so without the content
select config_id from config_versions
where hash = %(hash)s
