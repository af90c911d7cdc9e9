-- one receipt, whole but for its body
select
    r.receipt_id, r.source, r.key, r.kind, r.state, r.name, r.object_url, r.moved_to, r.size_bytes, r.sha256, r.header,
    r.survey, r.row_count, r.checkpoint, r.config_id, c.hash as config_hash, r.duplicate_of, r.again_of, r.parent_id,
    r.failure, r.attempts, r.envelope ->> 'last' as last_trouble, r.replays, r.occurred_at, r.received_at, r.finished_at
from receipts as r
inner join config_versions as c on r.config_id = c.config_id
where r.receipt_id = %(receipt_id)s
