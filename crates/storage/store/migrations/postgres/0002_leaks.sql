-- The same in both folders but for the words that tests/it/schema.rs names.
-- The words of parsers (compression, reasons, hash formats) have no CHECK: every release may add
-- some, and reading back an unknown word is an error.

CREATE TABLE leak (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    date TEXT NOT NULL,
    provenance TEXT NOT NULL CHECK (provenance IN ('confirmed', 'circulating', 'unknown')),
    added_at BIGINT NOT NULL,
    state TEXT NOT NULL
        CHECK (state IN ('added', 'screening', 'screened', 'verifying', 'verified')),
    -- The wrapped key of its candidates' secrets; NULL once they are destroyed.
    spool_key BYTEA
);

CREATE TABLE leak_file (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    leak BIGINT NOT NULL REFERENCES leak (id),
    path TEXT NOT NULL,
    sha256 BYTEA NOT NULL CHECK (length(sha256) = 32),
    bytes BIGINT NOT NULL CHECK (bytes >= 0),
    modified_at BIGINT NOT NULL,
    compression TEXT NOT NULL,
    kept TEXT,
    UNIQUE (leak, path)
);

-- Work to be leased. A job that nobody has taken has a lease that ended at 0.
CREATE TABLE job (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('screen', 'verify')),
    leak BIGINT NOT NULL REFERENCES leak (id),
    lease_owner TEXT,
    lease_until BIGINT NOT NULL DEFAULT 0,
    attempts BIGINT NOT NULL DEFAULT 0,
    done_at BIGINT,
    UNIQUE (id, leak),
    CHECK ((lease_owner IS NULL) = (attempts = 0)),
    CHECK (done_at IS NULL OR attempts > 0)
);
CREATE INDEX job_to_take ON job (leak, kind, lease_until, id) WHERE done_at IS NULL;
CREATE INDEX job_of_leak ON job (leak, kind);

-- A screening job: a range of bytes of one file. The counts come with its result.
CREATE TABLE piece (
    job BIGINT PRIMARY KEY REFERENCES job (id),
    file BIGINT NOT NULL REFERENCES leak_file (id),
    range_start BIGINT NOT NULL CHECK (range_start >= 0),
    range_end BIGINT NOT NULL,
    lines BIGINT,
    hits BIGINT,
    misses BIGINT,
    blank BIGINT,
    complete BOOLEAN,
    -- Number in its file of the first line that begins in the range, from 1.
    first_line BIGINT,
    UNIQUE (file, range_start),
    CHECK (range_end >= range_start),
    CHECK (lines IS NULL OR lines >= hits + misses + blank)
);

CREATE TABLE piece_reject (
    job BIGINT NOT NULL REFERENCES piece (job),
    reason TEXT NOT NULL,
    lines BIGINT NOT NULL CHECK (lines > 0),
    PRIMARY KEY (job, reason)
);

CREATE TABLE reject_sample (
    job BIGINT NOT NULL REFERENCES piece (job),
    byte_offset BIGINT NOT NULL CHECK (byte_offset >= 0),
    byte_length BIGINT NOT NULL CHECK (byte_length >= 0),
    line BIGINT NOT NULL CHECK (line >= 1),
    reason TEXT NOT NULL,
    PRIMARY KEY (job, line)
);

-- A record whose identifier is one of our accounts': an account is once a candidate by one line.
CREATE TABLE candidate (
    leak BIGINT NOT NULL,
    account TEXT COLLATE "C" NOT NULL,
    job BIGINT NOT NULL REFERENCES piece (job),
    byte_offset BIGINT NOT NULL CHECK (byte_offset >= 0),
    byte_length BIGINT NOT NULL CHECK (byte_length >= 0),
    line BIGINT NOT NULL CHECK (line >= 1),
    tier TEXT NOT NULL CHECK (tier IN ('exact', 'username', 'lead')),
    sealed BYTEA NOT NULL,
    PRIMARY KEY (job, byte_offset, account),
    FOREIGN KEY (job, leak) REFERENCES job (id, leak)
);
CREATE INDEX candidate_of_account ON candidate (leak, account);

-- A verification job: a range of accounts, both ends included.
CREATE TABLE batch (
    job BIGINT PRIMARY KEY REFERENCES job (id),
    account_from TEXT COLLATE "C" NOT NULL,
    account_to TEXT COLLATE "C" NOT NULL,
    CHECK (account_from <= account_to)
);

CREATE TABLE batch_outcome (
    job BIGINT NOT NULL REFERENCES batch (job),
    outcome TEXT NOT NULL
        CHECK (outcome IN ('exposed', 'not_exposed', 'no_password', 'gone', 'unverified')),
    hash_format TEXT,
    accounts BIGINT NOT NULL CHECK (accounts > 0)
);
CREATE UNIQUE INDEX batch_outcome_once ON batch_outcome (job, outcome, (COALESCE(hash_format, '')));

CREATE TABLE finding (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    leak BIGINT NOT NULL REFERENCES leak (id),
    account TEXT COLLATE "C" NOT NULL,
    version BYTEA NOT NULL CHECK (length(version) = 32),
    tier TEXT NOT NULL CHECK (tier IN ('exact', 'username', 'lead')),
    hash_format TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'dismissed', 'reset')),
    verified_at BIGINT NOT NULL,
    -- Both NULL once the secret is destroyed.
    wrapped_key BYTEA,
    sealed_secret BYTEA,
    UNIQUE (leak, account, version),
    CHECK ((wrapped_key IS NULL) = (sealed_secret IS NULL))
);
CREATE INDEX finding_by_state ON finding (state, account);
CREATE INDEX finding_of_one_account ON finding (account);
CREATE UNIQUE INDEX finding_of_account ON finding (id, account);

CREATE TABLE finding_record (
    finding BIGINT NOT NULL REFERENCES finding (id),
    file BIGINT NOT NULL REFERENCES leak_file (id),
    member TEXT,
    line BIGINT NOT NULL CHECK (line >= 1),
    byte_offset BIGINT NOT NULL CHECK (byte_offset >= 0)
);
CREATE UNIQUE INDEX finding_record_once
    ON finding_record (finding, file, (COALESCE(member, '')), byte_offset);

-- Accounts whose stored hash could not be tried: neither exposed nor cleared.
CREATE TABLE unverified (
    leak BIGINT NOT NULL REFERENCES leak (id),
    account TEXT COLLATE "C" NOT NULL,
    reason TEXT NOT NULL,
    hash_format TEXT,
    PRIMARY KEY (leak, account)
);
