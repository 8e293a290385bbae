-- The same in both folders but for the words that tests/it/schema.rs names.
-- Every replacement of a stored password of the site, by whatever value of ours. It is written
-- before the site's row is, and no row ever goes: so each value that we may have written is known.

CREATE TABLE swap (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account TEXT COLLATE BINARY NOT NULL,
    purpose TEXT NOT NULL CHECK (purpose IN ('seal', 'reinstate', 'choose')),
    -- On whose behalf: a campaign in a round that was signed, or the person with a link.
    campaign BIGINT REFERENCES campaign (id),
    round BIGINT,
    link BIGINT REFERENCES reset_link (id),
    -- What has to be in the row, and what takes its place: credential versions.
    expected BLOB NOT NULL CHECK (length(expected) = 32),
    made BLOB NOT NULL CHECK (length(made) = 32),
    state TEXT NOT NULL CHECK (state IN ('intended', 'done', 'undone', 'overtaken')),
    -- Who looks after it. A new attempt begins before it asks the site anything.
    attempt BIGINT NOT NULL CHECK (attempt >= 1),
    lease_owner TEXT NOT NULL,
    lease_until BIGINT NOT NULL,
    -- The attempt that was let through to commit on the site, and its transaction there.
    passed BIGINT CHECK (passed <= attempt),
    site TEXT,
    transaction_id BIGINT,
    intended_at BIGINT NOT NULL,
    ended_at BIGINT,
    CHECK ((campaign IS NULL) = (purpose = 'choose')),
    CHECK ((campaign IS NULL) = (round IS NULL)),
    CHECK ((link IS NULL) = (purpose <> 'choose')),
    CHECK ((site IS NULL) = (transaction_id IS NULL)),
    CHECK (site IS NULL OR passed IS NOT NULL),
    CHECK ((ended_at IS NULL) = (state = 'intended'))
);
-- Sealing, putting back and choosing exclude each other.
CREATE UNIQUE INDEX swap_one_at_a_time ON swap (account) WHERE state = 'intended';
-- A value that we make is made once. What is put back was there before.
CREATE UNIQUE INDEX swap_makes_once ON swap (made) WHERE purpose <> 'reinstate';
CREATE INDEX swap_of_account ON swap (account, id);
CREATE INDEX swap_left ON swap (lease_until, id) WHERE state = 'intended';
CREATE INDEX swap_of_campaign ON swap (campaign, id) WHERE state = 'intended';

-- What was sealed before this table was.
INSERT INTO swap (account, purpose, campaign, round, expected, made, state, attempt, lease_owner,
        lease_until, passed, intended_at, ended_at)
    SELECT reset_line.account, 'seal', reset_line.campaign, 1, reset_line.replaced_version,
        reset_line.sealed_version,
        CASE WHEN target.state = 'sealing' THEN 'intended' ELSE 'done' END, 1, '', 0, 1,
        reset_line.intended_at,
        CASE WHEN target.state = 'sealing' THEN NULL ELSE reset_line.intended_at END
    FROM reset_line JOIN target ON target.campaign = reset_line.campaign
        AND target.account = reset_line.account;
