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
        'reinstated', 'overtaken')),
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
