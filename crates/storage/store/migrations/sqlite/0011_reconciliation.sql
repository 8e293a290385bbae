-- The same in both folders but for the words that tests/it/schema.rs names.

-- The last comparison of the site's table with what is kept here.
CREATE TABLE reconciliation (
    only_row BIGINT PRIMARY KEY CHECK (only_row = 1),
    -- Who reads the table now: one at a time.
    lease_owner TEXT,
    lease_until BIGINT NOT NULL,
    attempts BIGINT NOT NULL CHECK (attempts >= 0),
    started_at BIGINT,
    -- When the table was last read to its end, and what was found, as JSON.
    ended_at BIGINT,
    result BLOB,
    -- When it last failed, if it has not come to the end since.
    failed_at BIGINT,
    -- Credential versions that could be ours are tried in their order, some each time: the last
    -- one that was.
    tried BLOB CHECK (length(tried) = 32),
    CHECK ((ended_at IS NULL) = (result IS NULL)),
    CHECK ((lease_owner IS NULL) = (attempts = 0))
);
INSERT INTO reconciliation (only_row, lease_until, attempts) VALUES (1, 0, 0);

-- Whatever has become of its campaigns.
CREATE INDEX target_of_account ON target (account);
