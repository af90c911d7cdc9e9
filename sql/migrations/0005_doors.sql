-- The other doors: what arrives by HTTP and by mail is a receipt like a file, and is worked by the inbox.

alter table receipts
add column envelope jsonb, -- how it came: content type, who vouched for it, address; of a mail its account and place
-- how often it was begun and not finished; first in company, then alone
add column attempts smallint not null default 0,
add column retry_at timestamptz, -- not to be begun before; of a lead that is still to be fetched, when to ask again
add column replays integer not null default 0, -- how often the same came again
add column replayed_at timestamptz;

-- what was posted and cannot be read keeps its claim: sent again, it would be as unreadable
drop index receipts_source_key;
create unique index receipts_source_key on receipts (source, key)
where state <> 'undone' and (state <> 'failed' or kind in ('form', 'api', 'mailbox'));

create index receipts_waiting on receipts (receipt_id) -- inbox_waiting, fetches_due
where state = 'received' and kind in ('form', 'api', 'mailbox');
create index receipts_quarantined on receipts (receipt_id) -- quarantine_list, arrivals_waiting
where state = 'failed' and kind in ('form', 'api', 'mailbox');
create index receipts_mail on receipts (sha256) where kind = 'mailbox'; -- mail_known

alter table set_asides drop constraint set_asides_kind_check;
alter table set_asides add check (kind in (
    'blank', 'total_line', 'test_lead', 'spam', 'auto_reply', 'bounce', 'feedback_loop', 'unsubscribe', 'list_mail',
    'suppressed', 'erased'
));
-- spam_waiting
create index set_asides_spam on set_asides (receipt_id, row_number) where kind = 'spam' and released_at is null;

-- who may use the API: the key itself is shown once and never stored
create table api_keys (
    key_id text primary key, -- the first part of the key
    hash bytea not null, -- sha256 of the whole key
    name text not null, -- of whom it is
    scopes text[] not null check (scopes <@ array['leads:write', 'events:write', 'receipts:read', 'metrics:read']),
    source text, -- the only source it may write to
    origins text[] not null default '{}', -- websites whose pages may use it
    created_at timestamptz not null default now(),
    expires_at timestamptz,
    revoked_at timestamptz
);

-- what people did: pages viewed, files fetched, webinars attended; the input of behavioural scores
create table events (
    event_id bigint generated always as identity primary key,
    source text not null,
    event_key text not null, -- the sender's id, or a hash of the content
    kind text not null,
    person_key text not null, -- mail:… or tel:…, as identities are written
    properties jsonb not null default '{}',
    occurred_at timestamptz not null,
    received_at timestamptz not null default now(),
    unique (source, event_key)
);
create index events_person on events (person_key, occurred_at); -- lead_events

-- messages that a reply may answer: those we sent, and mails that are stored
create table messages (
    message_id text primary key,
    receipt_id bigint, -- of a mail that came in
    campaign text, -- of a mail that went out
    sent_at timestamptz
);

-- how far each folder was read: the truth, whatever is marked as seen
create table mail_cursors (
    account text not null,
    folder text not null,
    uidvalidity bigint not null,
    last_uid bigint not null,
    since timestamptz, -- of what lay there when it was first read, only what came in later counts; null: all of it
    since_uid bigint not null default 0, -- the last that lay there then
    updated_at timestamptz not null default now(),
    primary key (account, folder)
);

-- what is still to be done in a mailbox with mails that are stored: to be moved, or marked
create table mail_chores (
    account text not null,
    folder text not null,
    uidvalidity bigint not null,
    uid bigint not null,
    primary key (account, folder, uidvalidity, uid)
);

create table mail_syncs (
    sync_id bigint generated always as identity primary key,
    account text not null,
    folder text not null,
    began_at timestamptz not null default now(),
    ended_at timestamptz,
    stored integer not null default 0,
    known integer not null default 0, -- the same content was there already
    refused integer not null default 0, -- too large, only the beginning is kept; or not given out by the server
    note text, -- what a person may want to know of mails that were not stored whole, or not moved
    failure text, -- in words, without addresses
    needs_person boolean not null default false -- it will not pass by itself: a wrong password, a missing folder
);
create index mail_syncs_place on mail_syncs (account, folder, sync_id); -- mail_status

-- people who stay out, by a keyed hash of their address: nothing else of them is kept
create table suppressions (
    person_hash bytea not null,
    kind text not null check (kind in ('erased', 'suppressed')),
    reason text not null,
    created_at timestamptz not null default now(),
    primary key (person_hash, kind)
);

-- proves that a process has the key that the hashes were made with
create table suppression_keys (
    fingerprint bytea primary key,
    created_at timestamptz not null default now()
);
