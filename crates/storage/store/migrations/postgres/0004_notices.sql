-- The same in both folders but for the words that tests/it/schema.rs names.
-- A notice is committed as `inflight` before its first byte is sent.

CREATE TABLE notice (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- The campaign that sends it and the address there; both NULL where a person asked for it.
    campaign BIGINT,
    address BIGINT,
    kind TEXT NOT NULL CHECK (kind IN ('reset_required', 'reset_link', 'reset_done',
        'exposure_answer')),
    state TEXT NOT NULL CHECK (state IN ('pending', 'inflight', 'sent', 'refused', 'uncertain')),
    attempts BIGINT NOT NULL CHECK (attempts >= 0),
    not_before BIGINT NOT NULL,
    made_at BIGINT NOT NULL,
    ended_at BIGINT,
    lease_owner TEXT,
    lease_until BIGINT NOT NULL DEFAULT 0,
    -- What the mail server answered last.
    answer TEXT,
    code_lookup BYTEA CHECK (length(code_lookup) = 32),
    -- When its recipient said that it is not right.
    disputed_at BIGINT,
    UNIQUE (campaign, address, kind),
    FOREIGN KEY (campaign, address) REFERENCES campaign_address (campaign, number),
    CHECK ((campaign IS NULL) = (address IS NULL)),
    CHECK ((campaign IS NULL) = (kind <> 'reset_required')),
    CHECK ((lease_owner IS NULL) = (attempts = 0)),
    CHECK ((ended_at IS NULL) = (state IN ('pending', 'inflight')))
);
CREATE UNIQUE INDEX notice_of_address ON notice (id, campaign, address);
CREATE UNIQUE INDEX notice_of_kind ON notice (id, kind);
CREATE UNIQUE INDEX notice_by_code ON notice (code_lookup);
CREATE INDEX notice_to_send ON notice (campaign, not_before, id) WHERE state = 'pending';
CREATE INDEX notice_in_flight ON notice (campaign, lease_until) WHERE state = 'inflight';

-- How many notices are in which state: asked at every step of a campaign of any size, so triggers
-- keep it.
CREATE TABLE notice_tally (
    campaign BIGINT NOT NULL REFERENCES campaign (id),
    state TEXT NOT NULL,
    notices BIGINT NOT NULL CHECK (notices >= 0),
    PRIMARY KEY (campaign, state)
);

-- The accounts that a notice speaks of: of its own address, and taken out of use.
CREATE TABLE notice_line (
    notice BIGINT NOT NULL,
    campaign BIGINT NOT NULL,
    address BIGINT NOT NULL,
    account TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (notice, account),
    FOREIGN KEY (notice, campaign, address) REFERENCES notice (id, campaign, address),
    FOREIGN KEY (campaign, address, account) REFERENCES target (campaign, address, account),
    FOREIGN KEY (campaign, account) REFERENCES reset_line (campaign, account)
);
CREATE INDEX notice_line_of_account ON notice_line (campaign, account);
