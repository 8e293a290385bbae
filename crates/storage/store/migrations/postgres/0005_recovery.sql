-- The same in both folders but for the words that tests/it/schema.rs names.
-- The way back in. Nothing here tells whether an account exists: a request is written down before
-- anybody looks.

-- A mail that somebody asked for on a page, until a worker has looked whom it concerns.
CREATE TABLE mail_request (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('reset_link', 'exposure_answer')),
    asked_at BIGINT NOT NULL,
    -- A keyed hash of where it came from.
    source BYTEA NOT NULL CHECK (length(source) = 32),
    -- What was typed, encrypted: nobody knows what it is.
    wrapped_key BYTEA NOT NULL,
    asked BYTEA NOT NULL
);

CREATE TABLE reset_link (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account TEXT COLLATE "C" NOT NULL,
    made_at BIGINT NOT NULL,
    -- Of the token in its mail, which is made when the mail leaves and kept nowhere.
    digest BYTEA CHECK (length(digest) = 32),
    mailed_at BIGINT,
    expires_at BIGINT,
    used_at BIGINT,
    superseded BOOLEAN NOT NULL,
    -- The password that is being set by it, and until when nobody else may do so.
    intended_version BYTEA CHECK (length(intended_version) = 32),
    intended_until BIGINT,
    CHECK ((digest IS NULL) = (mailed_at IS NULL)),
    CHECK ((digest IS NULL) = (expires_at IS NULL)),
    CHECK ((intended_version IS NULL) = (intended_until IS NULL)),
    CHECK (used_at IS NULL OR intended_version IS NOT NULL)
);
CREATE UNIQUE INDEX reset_link_by_digest ON reset_link (digest);
CREATE INDEX reset_link_of_account ON reset_link (account, mailed_at);
CREATE INDEX reset_link_intended ON reset_link (intended_until) WHERE used_at IS NULL;

-- What a notice that no campaign sends is about. A link has one mail, and one confirmation.
CREATE TABLE requested_notice (
    notice BIGINT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind <> 'reset_required'),
    account TEXT COLLATE "C" NOT NULL,
    link BIGINT REFERENCES reset_link (id),
    made_at BIGINT NOT NULL,
    language TEXT NOT NULL,
    address_key BYTEA NOT NULL CHECK (length(address_key) = 32),
    -- NULL for what nobody asked for: that a password was changed.
    source BYTEA CHECK (length(source) = 32),
    -- Whom it goes to and what it tells, encrypted; NULL once it is sent, refused or uncertain.
    wrapped_key BYTEA,
    kept BYTEA,
    UNIQUE (link, kind),
    FOREIGN KEY (notice, kind) REFERENCES notice (id, kind),
    CHECK ((link IS NULL) = (kind = 'exposure_answer')),
    CHECK ((source IS NULL) = (kind = 'reset_done')),
    CHECK ((wrapped_key IS NULL) = (kept IS NULL))
);
CREATE INDEX requested_notice_of_account ON requested_notice (account, made_at);
CREATE INDEX requested_notice_of_source ON requested_notice (source, made_at);
