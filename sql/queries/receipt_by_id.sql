-- one receipt, whole but for its body
select
    receipt_id, source, key, kind, state, name, object_url, moved_to, size_bytes, sha256, header, survey, row_count,
    checkpoint, config_id, duplicate_of, again_of, parent_id, failure, occurred_at, received_at, finished_at
from receipts
where receipt_id = %(receipt_id)s
