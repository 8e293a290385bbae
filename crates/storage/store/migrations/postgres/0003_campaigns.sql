-- The same in both folders but for the words that tests/it/schema.rs names.
-- The rules that a bug in a query must not break are keys here: nobody is a target without a
-- finding of their own, nobody is in two open campaigns, no password is reset twice, no address
-- is told twice, nobody is told about another's account.

-- Who may sign: the founding document at 0, then each change of it.
CREATE TABLE roster_document (
    position BIGINT NOT NULL PRIMARY KEY CHECK (position >= 0),
    at BIGINT NOT NULL,
    body BYTEA NOT NULL
);

-- Permission to send, signed by two operators, and how long it still holds.
CREATE TABLE arming (
    only_row BIGINT NOT NULL PRIMARY KEY CHECK (only_row = 1),
    document BYTEA NOT NULL,
    armed_at BIGINT NOT NULL,
    lease_until BIGINT NOT NULL
);

-- The one row that stops everything.
CREATE TABLE kill_switch (
    only_row BIGINT NOT NULL PRIMARY KEY CHECK (only_row = 1),
    position TEXT NOT NULL CHECK (position IN ('released', 'pulled')),
    since BIGINT NOT NULL
);
INSERT INTO kill_switch (only_row, position, since) VALUES (1, 'released', 0);

CREATE TABLE campaign (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    author TEXT NOT NULL,
    policy BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('draft', 'frozen', 'signed', 'canary', 'soak', 'ramp',
        'done', 'halted', 'closed')),
    -- The decision machine's own state, of which `state` is one word.
    machine BYTEA NOT NULL,
    -- NULL until it is done, and again once they are destroyed.
    destroy_secrets_at BIGINT
);
CREATE INDEX campaign_by_state ON campaign (state, id);

CREATE TABLE campaign_leak (
    campaign BIGINT NOT NULL REFERENCES campaign (id),
    leak BIGINT NOT NULL REFERENCES leak (id),
    PRIMARY KEY (campaign, leak)
);

CREATE TABLE plan (
    campaign BIGINT NOT NULL REFERENCES campaign (id),
    round BIGINT NOT NULL CHECK (round >= 1),
    body BYTEA NOT NULL,
    PRIMARY KEY (campaign, round)
);

CREATE TABLE approval (
    campaign BIGINT NOT NULL,
    round BIGINT NOT NULL,
    operator TEXT COLLATE "C" NOT NULL,
    body BYTEA NOT NULL,
    PRIMARY KEY (campaign, round, operator),
    FOREIGN KEY (campaign, round) REFERENCES plan (campaign, round)
);

-- An address, by its place in the campaign's order. Its accounts go through together.
CREATE TABLE campaign_address (
    campaign BIGINT NOT NULL REFERENCES campaign (id),
    number BIGINT NOT NULL CHECK (number >= 0),
    address_key BYTEA NOT NULL CHECK (length(address_key) = 32),
    accounts BIGINT NOT NULL CHECK (accounts > 0),
    lease_owner TEXT,
    lease_until BIGINT NOT NULL DEFAULT 0,
    attempts BIGINT NOT NULL DEFAULT 0,
    -- When it was taken up first: that is what the rate counts.
    taken_at BIGINT,
    -- Since when every account is sealed or skipped, and the notice written if one is due.
    done_at BIGINT,
    -- Since when that notice, if there is one, is sent, refused or uncertain.
    settled_at BIGINT,
    PRIMARY KEY (campaign, number),
    UNIQUE (campaign, address_key),
    CHECK ((lease_owner IS NULL) = (attempts = 0)),
    CHECK ((taken_at IS NULL) = (attempts = 0)),
    CHECK (done_at IS NULL OR taken_at IS NOT NULL),
    CHECK (settled_at IS NULL OR done_at IS NOT NULL)
);
CREATE INDEX campaign_address_to_take ON campaign_address (campaign, number) WHERE done_at IS NULL;
CREATE INDEX campaign_address_to_settle ON campaign_address (campaign, number)
    WHERE settled_at IS NULL;
-- The addresses in hand. One expression, so that PostgreSQL counts how rare it is.
CREATE INDEX campaign_address_in_hand ON campaign_address
    (campaign, (CASE WHEN settled_at IS NULL THEN taken_at END));
CREATE INDEX campaign_address_taken ON campaign_address (campaign, taken_at);

CREATE TABLE target (
    campaign BIGINT NOT NULL,
    place BIGINT NOT NULL CHECK (place >= 0),
    account TEXT COLLATE "C" NOT NULL,
    address BIGINT NOT NULL,
    -- The password as it was stored when the campaign was frozen.
    version BYTEA NOT NULL CHECK (length(version) = 32),
    finding BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'sealing', 'sealed', 'skipped', 'reset',
        'reinstated')),
    skip_reason TEXT,
    -- Whether the account belongs to this campaign alone.
    open BOOLEAN NOT NULL,
    PRIMARY KEY (campaign, place),
    UNIQUE (campaign, account),
    FOREIGN KEY (campaign, address) REFERENCES campaign_address (campaign, number),
    FOREIGN KEY (finding, account) REFERENCES finding (id, account),
    CHECK ((skip_reason IS NULL) = (state <> 'skipped'))
);
CREATE UNIQUE INDEX target_in_one_open_campaign ON target (account) WHERE open;
CREATE UNIQUE INDEX target_of_address ON target (campaign, address, account);
CREATE INDEX target_by_state ON target (campaign, state, place);

CREATE TABLE target_finding (
    campaign BIGINT NOT NULL,
    account TEXT COLLATE "C" NOT NULL,
    finding BIGINT NOT NULL,
    PRIMARY KEY (campaign, account, finding),
    FOREIGN KEY (campaign, account) REFERENCES target (campaign, account),
    FOREIGN KEY (finding, account) REFERENCES finding (id, account)
);

-- That a password was taken out of use. Written, with all that is needed to take it back, before
-- the site's row is.
CREATE TABLE reset_line (
    campaign BIGINT NOT NULL,
    account TEXT COLLATE "C" NOT NULL,
    -- The password as it was found in the leak; a verified rehash inherits it.
    version BYTEA NOT NULL CHECK (length(version) = 32),
    replaced_version BYTEA NOT NULL CHECK (length(replaced_version) = 32),
    sealed_version BYTEA NOT NULL CHECK (length(sealed_version) = 32),
    intended_at BIGINT NOT NULL,
    recalled_at BIGINT,
    -- The old hash, ours, and whom to tell, encrypted; NULL once they are destroyed.
    wrapped_key BYTEA,
    kept BYTEA,
    PRIMARY KEY (campaign, account),
    FOREIGN KEY (campaign, account) REFERENCES target (campaign, account),
    CHECK ((wrapped_key IS NULL) = (kept IS NULL))
);
CREATE UNIQUE INDEX reset_line_once ON reset_line (account, version) WHERE recalled_at IS NULL;

-- The findings that verified when the account was sealed: what its notice may speak of.
CREATE TABLE reset_evidence (
    campaign BIGINT NOT NULL,
    account TEXT COLLATE "C" NOT NULL,
    finding BIGINT NOT NULL,
    PRIMARY KEY (campaign, account, finding),
    FOREIGN KEY (campaign, account) REFERENCES reset_line (campaign, account),
    FOREIGN KEY (campaign, account, finding) REFERENCES target_finding (campaign, account, finding)
);

-- What the site says in public of a campaign, counted from the log. Each is the last word until
-- the next one.
CREATE TABLE statement (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    campaign BIGINT NOT NULL REFERENCES campaign (id),
    made_at BIGINT NOT NULL,
    body BYTEA NOT NULL
);
CREATE INDEX statement_of_campaign ON statement (campaign, id);
