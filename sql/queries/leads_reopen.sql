-- closed leads whose person came again and whose source says: reopen
update leads
set
    is_open = true,
    status = %(status)s,
    category = %(category)s,
    updated_at = now()
where lead_id = any(%(lead_ids)s)
