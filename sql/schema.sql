-- Made from sql/migrations and sql/views by `make schema`: read it, do not edit it.

CREATE SCHEMA sluice;

CREATE TABLE sluice.absences (
    person text NOT NULL,
    away_from timestamp with time zone NOT NULL,
    away_until timestamp with time zone NOT NULL,
    reason text,
    CONSTRAINT absences_check CHECK ((away_from < away_until))
);

CREATE TABLE sluice.activities (
    activity_id bigint NOT NULL,
    lead_id bigint NOT NULL,
    action text NOT NULL,
    kind text NOT NULL,
    subject text NOT NULL,
    owner text,
    due_at timestamp with time zone,
    done_at timestamp with time zone,
    receipt_id bigint,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE sluice.activities ALTER COLUMN activity_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME sluice.activities_activity_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE sluice.api_keys (
    key_id text NOT NULL,
    hash bytea NOT NULL,
    name text NOT NULL,
    scopes text[] NOT NULL,
    source text,
    origins text[] DEFAULT '{}'::text[] NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone,
    revoked_at timestamp with time zone,
    CONSTRAINT api_keys_scopes_check CHECK ((scopes <@ ARRAY['leads:write'::text, 'events:write'::text, 'receipts:read'::text, 'metrics:read'::text]))
);

CREATE TABLE sluice.assignments (
    assignment_id bigint NOT NULL,
    lead_id bigint NOT NULL,
    team text,
    owner text,
    rule text NOT NULL,
    reason text NOT NULL,
    candidates text[] NOT NULL,
    turn_before double precision,
    turn_after double precision,
    config_id integer NOT NULL,
    receipt_id bigint,
    row_number bigint,
    assigned_at timestamp with time zone DEFAULT now() NOT NULL,
    ended_at timestamp with time zone,
    CONSTRAINT assignments_check CHECK (((owner IS NOT NULL) OR (team IS NOT NULL)))
);

ALTER TABLE sluice.assignments ALTER COLUMN assignment_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME sluice.assignments_assignment_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE sluice.companies (
    company_id bigint NOT NULL,
    identity_key text NOT NULL,
    name text NOT NULL,
    canonical_name text NOT NULL,
    legal_class text,
    domain text,
    country text,
    street text,
    city text,
    state text,
    zip text,
    phone text,
    website text,
    external_id text,
    receipt_id bigint NOT NULL,
    row_number bigint NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    start_key text,
    word_key text,
    letters smallint
);

ALTER TABLE sluice.companies ALTER COLUMN company_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME sluice.companies_company_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE sluice.config_versions (
    config_id integer NOT NULL,
    hash text NOT NULL,
    profile text NOT NULL,
    content jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE sluice.config_versions ALTER COLUMN config_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME sluice.config_versions_config_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE sluice.consents (
    address_key text NOT NULL,
    channel text NOT NULL,
    purpose text NOT NULL,
    verdict text NOT NULL,
    receipt_id bigint NOT NULL,
    row_number bigint NOT NULL,
    proof jsonb,
    recorded_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT consents_channel_check CHECK ((channel = ANY (ARRAY['email'::text, 'phone'::text]))),
    CONSTRAINT consents_verdict_check CHECK ((verdict = ANY (ARRAY['opted_out'::text, 'granted'::text])))
);

CREATE VIEW sluice.current_consents AS
 SELECT address_key,
    channel,
    purpose,
        CASE
            WHEN bool_or((verdict = 'opted_out'::text)) THEN 'opted_out'::text
            ELSE 'granted'::text
        END AS verdict
   FROM sluice.consents
  GROUP BY address_key, channel, purpose;

CREATE TABLE sluice.drops (
    bucket text NOT NULL,
    key text NOT NULL,
    version text NOT NULL,
    run_key text NOT NULL,
    claimed_at timestamp with time zone DEFAULT now() NOT NULL,
    submitted_at timestamp with time zone
);

CREATE TABLE sluice.events (
    event_id bigint NOT NULL,
    source text NOT NULL,
    event_key text NOT NULL,
    kind text NOT NULL,
    person_key text NOT NULL,
    properties jsonb DEFAULT '{}'::jsonb NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    received_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE sluice.events ALTER COLUMN event_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME sluice.events_event_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE sluice.leads (
    lead_id bigint NOT NULL,
    identity_key text NOT NULL,
    person_key text,
    is_open boolean DEFAULT true NOT NULL,
    is_flagged boolean DEFAULT false NOT NULL,
    status text NOT NULL,
    category text NOT NULL,
    flagged_of bigint,
    previous_lead_id bigint,
    company_id bigint,
    salutation text,
    first_name text,
    middle_name text,
    last_name text,
    full_name text,
    email text,
    email_domain text,
    email_verdict text,
    email_is_free boolean,
    email_is_role boolean,
    email_is_disposable boolean,
    phone text,
    phone_country_source text,
    mobile text,
    company text,
    company_domain text,
    website text,
    title text,
    seniority text,
    department text,
    industry text,
    employees bigint,
    annual_revenue double precision,
    annual_revenue_currency text,
    street text,
    city text,
    state text,
    zip text,
    country text,
    language text,
    lead_source text,
    campaign text,
    channel text,
    product text,
    priority text,
    rating smallint,
    budget double precision,
    timeline text,
    description text,
    next_follow_up text,
    external_id text,
    tags text[],
    attributes jsonb,
    extra jsonb,
    email_opt_out boolean DEFAULT false NOT NULL,
    do_not_call boolean DEFAULT false NOT NULL,
    score integer,
    band text,
    score_signals text[],
    score_points integer[],
    config_id integer NOT NULL,
    owner text,
    team text,
    receipt_id bigint NOT NULL,
    row_number bigint NOT NULL,
    stated_at timestamp with time zone NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT leads_category_check CHECK ((category = ANY (ARRAY['open_new'::text, 'open_working'::text, 'nurture'::text, 'qualified'::text, 'disqualified'::text, 'converted'::text, 'dropped'::text]))),
    CONSTRAINT leads_check CHECK ((is_open = (category = ANY (ARRAY['open_new'::text, 'open_working'::text, 'nurture'::text, 'qualified'::text]))))
);

CREATE VIEW sluice.my_open_leads AS
 SELECT lead_id,
    owner,
    team,
    full_name,
    company,
    email,
    phone,
    score,
    band,
    status,
    created_at
   FROM sluice.leads
  WHERE is_open;

CREATE VIEW sluice.hot_leads AS
 SELECT lead_id,
    owner,
    team,
    full_name,
    company,
    email,
    phone,
    score,
    band,
    status,
    created_at
   FROM sluice.my_open_leads
  WHERE (lead_id IN ( SELECT h.lead_id
           FROM sluice.leads h
          WHERE (h.rating >= 4)));

CREATE TABLE sluice.lead_changes (
    receipt_id bigint NOT NULL,
    row_number bigint NOT NULL,
    lead_id bigint NOT NULL,
    field text NOT NULL,
    old_value text,
    new_value text,
    rule text NOT NULL
);

ALTER TABLE sluice.leads ALTER COLUMN lead_id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME sluice.leads_lead_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE sluice.mail_chores (
    account text NOT NULL,
    folder text NOT NULL,
    uidvalidity bigint NOT NULL,
    uid bigint NOT NULL
);

CREATE TABLE sluice.mail_cursors (
    account text NOT NULL,
    folder text NOT NULL,
    uidvalidity bigint NOT NULL,
    last_uid bigint NOT NULL,
    since timestamp with time zone,
    since_uid bigint DEFAULT 0 NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE sluice.mail_syncs (
    sync_id bigint NOT NULL,
    account text NOT NULL,
    folder text NOT NULL,
    began_at timestamp with time zone DEFAULT now() NOT NULL,
    ended_at timestamp with time zone,
    stored integer DEFAULT 0 NOT NULL,
    known integer DEFAULT 0 NOT NULL,
    refused integer DEFAULT 0 NOT NULL,
    note text,
    failure text,
    needs_person boolean DEFAULT false NOT NULL
);

ALTER TABLE sluice.mail_syncs ALTER COLUMN sync_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME sluice.mail_syncs_sync_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE sluice.match_decisions (
    decision_id bigint NOT NULL,
    level text NOT NULL,
    left_receipt_id bigint NOT NULL,
    left_row bigint NOT NULL,
    right_receipt_id bigint NOT NULL,
    right_row bigint NOT NULL,
    kind text NOT NULL,
    verdict text NOT NULL,
    score real,
    explanation jsonb NOT NULL,
    config_id integer NOT NULL,
    decided_by text NOT NULL,
    decided_at timestamp with time zone DEFAULT now() NOT NULL,
    revoked_at timestamp with time zone,
    revoked_by text,
    revoke_reason text,
    CONSTRAINT match_decisions_kind_check CHECK ((kind = ANY (ARRAY['auto'::text, 'human'::text, 'import'::text]))),
    CONSTRAINT match_decisions_level_check CHECK ((level = ANY (ARRAY['person'::text, 'company'::text]))),
    CONSTRAINT match_decisions_verdict_check CHECK ((verdict = ANY (ARRAY['same'::text, 'different'::text, 'unsure'::text])))
);

ALTER TABLE sluice.match_decisions ALTER COLUMN decision_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME sluice.match_decisions_decision_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE sluice.messages (
    message_id text NOT NULL,
    receipt_id bigint,
    campaign text,
    sent_at timestamp with time zone
);

CREATE TABLE sluice.migrations (
    name text NOT NULL,
    sha256 text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE sluice.receipts (
    receipt_id bigint NOT NULL,
    source text NOT NULL,
    key text NOT NULL,
    kind text NOT NULL,
    state text NOT NULL,
    name text NOT NULL,
    object_url text,
    moved_to text,
    size_bytes bigint NOT NULL,
    sha256 bytea NOT NULL,
    body bytea,
    header text[],
    survey jsonb,
    row_count bigint,
    checkpoint bigint DEFAULT 0 NOT NULL,
    config_id integer NOT NULL,
    duplicate_of bigint,
    again_of bigint,
    parent_id bigint,
    failure jsonb,
    occurred_at timestamp with time zone NOT NULL,
    received_at timestamp with time zone DEFAULT now() NOT NULL,
    finished_at timestamp with time zone,
    envelope jsonb,
    attempts smallint DEFAULT 0 NOT NULL,
    retry_at timestamp with time zone,
    replays integer DEFAULT 0 NOT NULL,
    replayed_at timestamp with time zone,
    CONSTRAINT receipts_kind_check CHECK ((kind = ANY (ARRAY['file'::text, 'form'::text, 'api'::text, 'mailbox'::text, 'manual'::text]))),
    CONSTRAINT receipts_state_check CHECK ((state = ANY (ARRAY['received'::text, 'working'::text, 'done'::text, 'failed'::text, 'duplicate'::text, 'undone'::text])))
);

CREATE TABLE sluice.rejects (
    receipt_id bigint NOT NULL,
    row_number bigint NOT NULL,
    line bigint NOT NULL,
    record text[] NOT NULL,
    raw bytea,
    problems jsonb NOT NULL,
    completed_by bigint
);

CREATE TABLE sluice.set_asides (
    receipt_id bigint NOT NULL,
    row_number bigint NOT NULL,
    line bigint NOT NULL,
    record text[] NOT NULL,
    raw bytea,
    kind text NOT NULL,
    reason text NOT NULL,
    released_at timestamp with time zone,
    CONSTRAINT set_asides_kind_check CHECK ((kind = ANY (ARRAY['blank'::text, 'total_line'::text, 'test_lead'::text, 'spam'::text, 'auto_reply'::text, 'bounce'::text, 'feedback_loop'::text, 'unsubscribe'::text, 'list_mail'::text, 'suppressed'::text, 'erased'::text])))
);

CREATE TABLE sluice.touches (
    receipt_id bigint NOT NULL,
    row_number bigint NOT NULL,
    line bigint NOT NULL,
    lead_id bigint,
    company_id bigint,
    outcome text NOT NULL,
    lead_source text,
    campaign text,
    occurred_at timestamp with time zone NOT NULL,
    record text[] NOT NULL,
    warnings text[],
    CONSTRAINT touches_check CHECK (((lead_id IS NOT NULL) OR (company_id IS NOT NULL))),
    CONSTRAINT touches_outcome_check CHECK ((outcome = ANY (ARRAY['created'::text, 'updated'::text, 'unchanged'::text, 'flagged'::text])))
);

CREATE VIEW sluice.receipt_ledger AS
 SELECT r.receipt_id,
    r.source,
    r.name,
    r.state,
    r.row_count,
    COALESCE(t.touches, (0)::bigint) AS touches,
    COALESCE(t.created, (0)::bigint) AS created,
    COALESCE(t.updated, (0)::bigint) AS updated,
    COALESCE(t.unchanged, (0)::bigint) AS unchanged,
    COALESCE(t.flagged, (0)::bigint) AS flagged,
    COALESCE(j.rejects, (0)::bigint) AS rejects,
    COALESCE(s.set_asides, (0)::bigint) AS set_asides,
    r.checkpoint,
    r.duplicate_of,
    r.received_at,
    r.finished_at,
    r.failure
   FROM (((sluice.receipts r
     LEFT JOIN LATERAL ( SELECT count(*) AS touches,
            count(*) FILTER (WHERE (x.outcome = 'created'::text)) AS created,
            count(*) FILTER (WHERE (x.outcome = 'updated'::text)) AS updated,
            count(*) FILTER (WHERE (x.outcome = 'unchanged'::text)) AS unchanged,
            count(*) FILTER (WHERE (x.outcome = 'flagged'::text)) AS flagged
           FROM sluice.touches x
          WHERE (x.receipt_id = r.receipt_id)) t ON (true))
     LEFT JOIN LATERAL ( SELECT count(*) AS rejects
           FROM sluice.rejects x
          WHERE (x.receipt_id = r.receipt_id)) j ON (true))
     LEFT JOIN LATERAL ( SELECT count(*) AS set_asides
           FROM sluice.set_asides x
          WHERE (x.receipt_id = r.receipt_id)) s ON (true));

ALTER TABLE sluice.receipts ALTER COLUMN receipt_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME sluice.receipts_receipt_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE VIEW sluice.recent_leads AS
 SELECT lead_id,
    owner,
    team,
    full_name,
    company,
    email,
    phone,
    score,
    band,
    status,
    created_at
   FROM sluice.my_open_leads
  ORDER BY created_at DESC;

CREATE VIEW sluice.report_leads_by_band AS
 SELECT COALESCE(band, 'none'::text) AS band,
    count(*) AS leads,
    count(*) FILTER (WHERE (owner IS NULL)) AS in_queue
   FROM sluice.leads
  GROUP BY band;

CREATE VIEW sluice.report_leads_by_source AS
 SELECT COALESCE(lead_source, 'not stated'::text) AS lead_source,
    count(*) AS leads,
    count(*) FILTER (WHERE is_flagged) AS flagged,
    round(avg(score), 1) AS average_score
   FROM sluice.leads
  GROUP BY lead_source;

CREATE VIEW sluice.review_queue AS
 SELECT d.decision_id,
    d.level,
    d.score,
    d.explanation,
    lt.lead_id AS left_lead_id,
    rt.lead_id AS right_lead_id,
    lt.company_id AS left_company_id,
    rt.company_id AS right_company_id,
    d.decided_at
   FROM ((sluice.match_decisions d
     JOIN sluice.touches lt ON (((d.left_receipt_id = lt.receipt_id) AND (d.left_row = lt.row_number))))
     JOIN sluice.touches rt ON (((d.right_receipt_id = rt.receipt_id) AND (d.right_row = rt.row_number))))
  WHERE ((d.verdict = 'unsure'::text) AND (d.revoked_at IS NULL))
  ORDER BY d.decided_at, d.decision_id;

CREATE TABLE sluice.rotas (
    team text NOT NULL,
    person text NOT NULL,
    level double precision NOT NULL
);

CREATE TABLE sluice.suppression_keys (
    fingerprint bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE sluice.suppressions (
    person_hash bytea NOT NULL,
    kind text NOT NULL,
    reason text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT suppressions_kind_check CHECK ((kind = ANY (ARRAY['erased'::text, 'suppressed'::text])))
);

ALTER TABLE ONLY sluice.absences
    ADD CONSTRAINT absences_pkey PRIMARY KEY (person, away_from);

ALTER TABLE ONLY sluice.activities
    ADD CONSTRAINT activities_pkey PRIMARY KEY (lead_id, action);

ALTER TABLE ONLY sluice.api_keys
    ADD CONSTRAINT api_keys_pkey PRIMARY KEY (key_id);

ALTER TABLE ONLY sluice.companies
    ADD CONSTRAINT companies_identity_key_key UNIQUE (identity_key);

ALTER TABLE ONLY sluice.companies
    ADD CONSTRAINT companies_pkey PRIMARY KEY (company_id);

ALTER TABLE ONLY sluice.config_versions
    ADD CONSTRAINT config_versions_hash_key UNIQUE (hash);

ALTER TABLE ONLY sluice.config_versions
    ADD CONSTRAINT config_versions_pkey PRIMARY KEY (config_id);

ALTER TABLE ONLY sluice.consents
    ADD CONSTRAINT consents_pkey PRIMARY KEY (address_key, channel, purpose, receipt_id, row_number);

ALTER TABLE ONLY sluice.drops
    ADD CONSTRAINT drops_pkey PRIMARY KEY (bucket, key);

ALTER TABLE ONLY sluice.events
    ADD CONSTRAINT events_pkey PRIMARY KEY (event_id);

ALTER TABLE ONLY sluice.events
    ADD CONSTRAINT events_source_event_key_key UNIQUE (source, event_key);

ALTER TABLE ONLY sluice.lead_changes
    ADD CONSTRAINT lead_changes_pkey PRIMARY KEY (receipt_id, row_number, field);

ALTER TABLE ONLY sluice.leads
    ADD CONSTRAINT leads_pkey PRIMARY KEY (lead_id);

ALTER TABLE ONLY sluice.mail_chores
    ADD CONSTRAINT mail_chores_pkey PRIMARY KEY (account, folder, uidvalidity, uid);

ALTER TABLE ONLY sluice.mail_cursors
    ADD CONSTRAINT mail_cursors_pkey PRIMARY KEY (account, folder);

ALTER TABLE ONLY sluice.mail_syncs
    ADD CONSTRAINT mail_syncs_pkey PRIMARY KEY (sync_id);

ALTER TABLE ONLY sluice.match_decisions
    ADD CONSTRAINT match_decisions_pkey PRIMARY KEY (decision_id);

ALTER TABLE ONLY sluice.messages
    ADD CONSTRAINT messages_pkey PRIMARY KEY (message_id);

ALTER TABLE ONLY sluice.migrations
    ADD CONSTRAINT migrations_pkey PRIMARY KEY (name);

ALTER TABLE ONLY sluice.receipts
    ADD CONSTRAINT receipts_pkey PRIMARY KEY (receipt_id);

ALTER TABLE ONLY sluice.rejects
    ADD CONSTRAINT rejects_pkey PRIMARY KEY (receipt_id, row_number);

ALTER TABLE ONLY sluice.rotas
    ADD CONSTRAINT rotas_pkey PRIMARY KEY (team, person);

ALTER TABLE ONLY sluice.set_asides
    ADD CONSTRAINT set_asides_pkey PRIMARY KEY (receipt_id, row_number);

ALTER TABLE ONLY sluice.suppression_keys
    ADD CONSTRAINT suppression_keys_pkey PRIMARY KEY (fingerprint);

ALTER TABLE ONLY sluice.suppressions
    ADD CONSTRAINT suppressions_pkey PRIMARY KEY (person_hash, kind);

ALTER TABLE ONLY sluice.touches
    ADD CONSTRAINT touches_pkey PRIMARY KEY (receipt_id, row_number);

CREATE UNIQUE INDEX assignments_current ON sluice.assignments USING btree (lead_id) WHERE (ended_at IS NULL);

CREATE INDEX companies_canonical_name ON sluice.companies USING btree (canonical_name);

CREATE INDEX companies_domain ON sluice.companies USING btree (domain) WHERE (domain IS NOT NULL);

CREATE INDEX companies_start_key ON sluice.companies USING btree (start_key, letters);

CREATE INDEX companies_word_key ON sluice.companies USING btree (word_key, letters) WHERE (word_key IS NOT NULL);

CREATE INDEX drops_unsubmitted ON sluice.drops USING btree (bucket, run_key) WHERE (submitted_at IS NULL);

CREATE INDEX events_person ON sluice.events USING btree (person_key, occurred_at);

CREATE INDEX lead_changes_lead_id ON sluice.lead_changes USING btree (lead_id);

CREATE INDEX leads_identity_aside ON sluice.leads USING btree (identity_key) WHERE ((NOT is_open) OR is_flagged);

CREATE UNIQUE INDEX leads_identity_key ON sluice.leads USING btree (identity_key) WHERE (is_open AND (NOT is_flagged));

CREATE INDEX leads_person_key ON sluice.leads USING btree (person_key) WHERE (person_key IS NOT NULL);

CREATE INDEX leads_phone ON sluice.leads USING btree (phone) WHERE ((phone IS NOT NULL) AND ((person_key IS NULL) OR (NOT starts_with(person_key, (phone || '|'::text)))));

CREATE INDEX mail_syncs_place ON sluice.mail_syncs USING btree (account, folder, sync_id);

CREATE INDEX match_decisions_left ON sluice.match_decisions USING btree (left_receipt_id, left_row);

CREATE INDEX receipts_mail ON sluice.receipts USING btree (sha256) WHERE (kind = 'mailbox'::text);

CREATE INDEX receipts_quarantined ON sluice.receipts USING btree (receipt_id) WHERE ((state = 'failed'::text) AND (kind = ANY (ARRAY['form'::text, 'api'::text, 'mailbox'::text])));

CREATE UNIQUE INDEX receipts_source_key ON sluice.receipts USING btree (source, key) WHERE ((state <> 'undone'::text) AND ((state <> 'failed'::text) OR (kind = ANY (ARRAY['form'::text, 'api'::text, 'mailbox'::text]))));

CREATE INDEX receipts_waiting ON sluice.receipts USING btree (receipt_id) WHERE ((state = 'received'::text) AND (kind = ANY (ARRAY['form'::text, 'api'::text, 'mailbox'::text])));

CREATE INDEX rejects_completed_by ON sluice.rejects USING btree (completed_by) WHERE (completed_by IS NOT NULL);

CREATE INDEX set_asides_spam ON sluice.set_asides USING btree (receipt_id, row_number) WHERE ((kind = 'spam'::text) AND (released_at IS NULL));

CREATE INDEX touches_lead_id ON sluice.touches USING btree (lead_id) WHERE (lead_id IS NOT NULL);

ALTER TABLE ONLY sluice.companies
    ADD CONSTRAINT companies_receipt_id_fkey FOREIGN KEY (receipt_id) REFERENCES sluice.receipts(receipt_id);

ALTER TABLE ONLY sluice.match_decisions
    ADD CONSTRAINT match_decisions_config_id_fkey FOREIGN KEY (config_id) REFERENCES sluice.config_versions(config_id);

ALTER TABLE ONLY sluice.receipts
    ADD CONSTRAINT receipts_again_of_fkey FOREIGN KEY (again_of) REFERENCES sluice.receipts(receipt_id);

ALTER TABLE ONLY sluice.receipts
    ADD CONSTRAINT receipts_config_id_fkey FOREIGN KEY (config_id) REFERENCES sluice.config_versions(config_id);

ALTER TABLE ONLY sluice.receipts
    ADD CONSTRAINT receipts_duplicate_of_fkey FOREIGN KEY (duplicate_of) REFERENCES sluice.receipts(receipt_id);

ALTER TABLE ONLY sluice.receipts
    ADD CONSTRAINT receipts_parent_id_fkey FOREIGN KEY (parent_id) REFERENCES sluice.receipts(receipt_id);
