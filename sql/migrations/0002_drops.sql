-- Which files of which buckets were given to a run: each version once, however many watchers look.
-- The receipt stays the truth of what was taken in; what a run did not finish, the sweep does.

create table drops (
    bucket text not null, -- its URL
    key text not null, -- below inbox/
    version text not null, -- e-tag, or size and time of the last write
    run_key text not null, -- idempotency key of the run
    claimed_at timestamptz not null default now(),
    submitted_at timestamptz, -- when the Prefect server had the run
    primary key (bucket, key)
);
create index drops_unsubmitted on drops (bucket, run_key) where submitted_at is null; -- drops_unsubmitted

-- receipt_complete follows the chain of corrections
create index rejects_completed_by on rejects (completed_by) where completed_by is not null;
