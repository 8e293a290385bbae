-- What the databases spell differently: words that a state may have from now on, and what stays as
-- it was written.

-- SQLite changes no rule of a table: it is made anew, with those that point to it left alone.
CREATE TABLE target_widened (
    campaign BIGINT NOT NULL,
    place BIGINT NOT NULL CHECK (place >= 0),
    account TEXT COLLATE BINARY NOT NULL,
    address BIGINT NOT NULL,
    -- The password as it was stored when the campaign was frozen.
    version BLOB NOT NULL CHECK (length(version) = 32),
    finding BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'sealing', 'sealed', 'skipped', 'reset',
        'reinstated', 'overtaken', 'held', 'grace')),
    skip_reason TEXT,
    -- Whether the account belongs to this campaign alone.
    open BOOLEAN NOT NULL,
    PRIMARY KEY (campaign, place),
    UNIQUE (campaign, account),
    FOREIGN KEY (campaign, address) REFERENCES campaign_address (campaign, number),
    FOREIGN KEY (finding, account) REFERENCES finding (id, account),
    CHECK ((skip_reason IS NULL) = (state <> 'skipped'))
);
INSERT INTO target_widened (campaign, place, account, address, version, finding, state, skip_reason,
        open)
    SELECT campaign, place, account, address, version, finding, state, skip_reason, open FROM target;
DROP TABLE target;
ALTER TABLE target_widened RENAME TO target;
CREATE UNIQUE INDEX target_in_one_open_campaign ON target (account) WHERE open;
CREATE UNIQUE INDEX target_of_address ON target (campaign, address, account);
CREATE INDEX target_by_state ON target (campaign, state, place);

-- What we may have written to the site is on record for ever.
CREATE TRIGGER swap_keeps_its_values BEFORE UPDATE OF id, account, purpose, campaign, round, link,
    expected, made, intended_at ON swap
BEGIN
    SELECT RAISE(ABORT, 'what a swap is about stays');
END;

CREATE TRIGGER swap_refuses_delete BEFORE DELETE ON swap
BEGIN
    SELECT RAISE(ABORT, 'rows of swap stay');
END;

-- Only a value that is found standing in the site's table after all may change what is known.
CREATE TRIGGER swap_stays_ended BEFORE UPDATE OF state, attempt, passed ON swap
WHEN OLD.state <> 'intended' AND NEW.state <> 'done'
BEGIN
    SELECT RAISE(ABORT, 'a swap that has ended stays so');
END;

-- What is being set with a link is a swap now. One that was interrupted is judged like any other.
INSERT OR IGNORE INTO swap (account, purpose, link, expected, made, state, attempt, lease_owner, lease_until,
        passed, intended_at)
    SELECT account, 'choose', id, intended_version, intended_version, 'intended', 1, '', 0, 1,
        made_at
    FROM reset_link WHERE used_at IS NULL AND intended_version IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM swap WHERE swap.account = reset_link.account
            AND swap.state = 'intended');
DROP TRIGGER reset_link_stays_used;
CREATE TABLE reset_link_narrowed (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account TEXT COLLATE BINARY NOT NULL,
    made_at BIGINT NOT NULL,
    -- Of the token in its mail, which is made when the mail leaves and kept nowhere.
    digest BLOB CHECK (length(digest) = 32),
    mailed_at BIGINT,
    expires_at BIGINT,
    used_at BIGINT,
    superseded BOOLEAN NOT NULL,
    CHECK ((digest IS NULL) = (mailed_at IS NULL)),
    CHECK ((digest IS NULL) = (expires_at IS NULL))
);
INSERT INTO reset_link_narrowed (id, account, made_at, digest, mailed_at, expires_at, used_at,
        superseded)
    SELECT id, account, made_at, digest, mailed_at, expires_at, used_at, superseded FROM reset_link;
DROP TABLE reset_link;
ALTER TABLE reset_link_narrowed RENAME TO reset_link;
CREATE UNIQUE INDEX reset_link_by_digest ON reset_link (digest);
CREATE INDEX reset_link_of_account ON reset_link (account, mailed_at);
CREATE TRIGGER reset_link_stays_used BEFORE UPDATE ON reset_link
WHEN OLD.used_at IS NOT NULL AND (NEW.used_at IS NULL OR NEW.used_at <> OLD.used_at)
BEGIN
    SELECT RAISE(ABORT, 'a link that was used stays so');
END;
