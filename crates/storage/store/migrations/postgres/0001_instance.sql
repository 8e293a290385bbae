-- The same in both folders but for the words that tests/it/schema.rs names.
-- Times are microseconds UTC.

-- What this store is; written once.
CREATE TABLE instance (
    only_row BIGINT PRIMARY KEY CHECK (only_row = 1),
    id TEXT NOT NULL CHECK (length(id) = 32),
    kind TEXT NOT NULL CHECK (kind IN ('site', 'rehearsal')),
    created_at BIGINT NOT NULL,
    key_check BYTEA NOT NULL
);

-- The embedded directory: the accounts of a site without a table of its own. Plain columns, since
-- it is read through an ordinary column mapping.
CREATE TABLE account (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    email TEXT,
    username TEXT,
    hash TEXT,
    hash_changed_at BIGINT,
    email_verified BOOLEAN,
    locale TEXT,
    last_login_at BIGINT,
    second_factor BOOLEAN
);

-- The audit log: entries, the hashes of their Merkle tree, signed checkpoints, and its one size.
CREATE TABLE log_entry (
    position BIGINT PRIMARY KEY CHECK (position >= 0),
    at BIGINT NOT NULL,
    -- The campaign that it is about; NULL for everything else.
    campaign BIGINT,
    body BYTEA NOT NULL
);
CREATE INDEX log_entry_of_campaign ON log_entry (campaign, position) WHERE campaign IS NOT NULL;

CREATE TABLE log_hash (
    position BIGINT PRIMARY KEY CHECK (position >= 0),
    hash BYTEA NOT NULL CHECK (length(hash) = 32)
);

CREATE TABLE log_checkpoint (
    size BIGINT PRIMARY KEY CHECK (size >= 0),
    at BIGINT NOT NULL,
    note TEXT NOT NULL
);

CREATE TABLE log_head (
    only_row BIGINT PRIMARY KEY CHECK (only_row = 1),
    size BIGINT NOT NULL CHECK (size >= 0)
);
INSERT INTO log_head (only_row, size) VALUES (1, 0);
