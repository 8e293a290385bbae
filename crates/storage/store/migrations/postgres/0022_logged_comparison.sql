-- What a comparison of the site's table has found, the audit log alone says: a row of it would be believed.
CREATE TABLE comparison (
    only_row BIGINT PRIMARY KEY CHECK (only_row = 1),
    -- Who reads the table now: one at a time.
    lease_owner TEXT,
    lease_until BIGINT NOT NULL,
    attempts BIGINT NOT NULL CHECK (attempts >= 0),
    started_at BIGINT,
    -- When the table was last read to its end.
    ended_at BIGINT,
    -- When it last failed, if it has not come to the end since.
    failed_at BIGINT,
    -- Credential versions that could be ours are tried in their order, some each time: the last
    -- one that was.
    tried BYTEA CHECK (length(tried) = 32),
    CHECK ((lease_owner IS NULL) = (attempts = 0))
);
INSERT INTO comparison (only_row, lease_owner, lease_until, attempts, started_at, ended_at, failed_at, tried)
SELECT only_row, lease_owner, lease_until, attempts, started_at, ended_at, failed_at, tried FROM reconciliation;
DROP TABLE reconciliation;
ALTER TABLE comparison RENAME TO reconciliation;
