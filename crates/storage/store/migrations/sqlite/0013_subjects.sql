-- Rows and log name a subject, a number, instead of an account. To forget a person is to destroy
-- what one row holds.

CREATE TABLE subject (
    id BIGINT NOT NULL PRIMARY KEY,
    -- A keyed hash of the account's id, by which the subject is found.
    account_hash BLOB UNIQUE CHECK (length(account_hash) = 32),
    -- The subject's own random key, wrapped; and the account's id, encrypted under it.
    subject_key BLOB,
    account BLOB,
    -- The account's id as an earlier version wrote it, until this one is first opened with its key.
    plain TEXT COLLATE BINARY UNIQUE,
    CHECK ((account_hash IS NULL) = (account IS NULL)),
    CHECK ((subject_key IS NULL) = (account IS NULL)),
    CHECK (plain IS NULL OR account IS NULL)
);
CREATE INDEX subject_plain ON subject (id) WHERE plain IS NOT NULL;

-- The number of the latest subject. Whoever names one holds it.
CREATE TABLE subject_head (
    only_row BIGINT PRIMARY KEY CHECK (only_row = 1),
    last BIGINT NOT NULL CHECK (last >= 0)
);

-- What is left of a person who is forgotten: keyed hashes of account and credential version, which
-- only refuse a second notice.
CREATE TABLE tombstone (
    fingerprint BLOB NOT NULL PRIMARY KEY CHECK (length(fingerprint) = 32)
);
CREATE TRIGGER tombstone_refuses_update BEFORE UPDATE ON tombstone
BEGIN
    SELECT RAISE(ABORT, 'rows of tombstone are only added');
END;

CREATE TRIGGER tombstone_refuses_delete BEFORE DELETE ON tombstone
BEGIN
    SELECT RAISE(ABORT, 'rows of tombstone are only added');
END;

-- Whose account a subject is stays, or is forgotten.
CREATE TRIGGER subject_stays BEFORE UPDATE ON subject
WHEN NEW.id <> OLD.id
    OR NEW.account IS NOT NULL AND NEW.account IS NOT OLD.account AND OLD.plain IS NULL
BEGIN
    SELECT RAISE(ABORT, 'whom a subject names stays, or is forgotten');
END;

CREATE TRIGGER subject_refuses_delete BEFORE DELETE ON subject
BEGIN
    SELECT RAISE(ABORT, 'rows of subject stay');
END;

INSERT INTO subject (id, plain)
    SELECT row_number() OVER (ORDER BY account), account FROM (
        SELECT account FROM finding UNION SELECT account FROM unverified
        UNION SELECT account FROM swap UNION SELECT account FROM reset_link
        UNION SELECT account FROM requested_notice) AS named;
INSERT INTO subject_head (only_row, last) SELECT 1, COUNT(*) FROM subject;

-- SQLite changes no rule of a table: each is made anew, with those that point to it left alone.

CREATE TABLE finding_of_subject (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    leak BIGINT NOT NULL REFERENCES leak (id),
    subject BIGINT NOT NULL REFERENCES subject (id),
    version BLOB NOT NULL CHECK (length(version) = 32),
    tier TEXT NOT NULL CHECK (tier IN ('exact', 'username', 'lead')),
    hash_format TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'dismissed', 'reset')),
    verified_at BIGINT NOT NULL,
    -- Both NULL once the secret is destroyed.
    wrapped_key BLOB,
    sealed_secret BLOB,
    UNIQUE (leak, subject, version),
    CHECK ((wrapped_key IS NULL) = (sealed_secret IS NULL))
);
INSERT INTO finding_of_subject (id, leak, subject, version, tier, hash_format, state, verified_at, wrapped_key,
        sealed_secret)
    SELECT finding.id, finding.leak, subject.id, finding.version, finding.tier, finding.hash_format,
        finding.state, finding.verified_at, finding.wrapped_key, finding.sealed_secret
    FROM finding JOIN subject ON subject.plain = finding.account;
DROP TABLE finding;
ALTER TABLE finding_of_subject RENAME TO finding;
CREATE INDEX finding_by_state ON finding (state, subject);
CREATE INDEX finding_of_one_subject ON finding (subject);
CREATE UNIQUE INDEX finding_of_subject ON finding (id, subject);

CREATE TABLE unverified_of_subject (
    leak BIGINT NOT NULL REFERENCES leak (id),
    subject BIGINT NOT NULL REFERENCES subject (id),
    reason TEXT NOT NULL,
    hash_format TEXT,
    PRIMARY KEY (leak, subject)
);
INSERT INTO unverified_of_subject (leak, subject, reason, hash_format)
    SELECT unverified.leak, subject.id, unverified.reason, unverified.hash_format
    FROM unverified JOIN subject ON subject.plain = unverified.account;
DROP TABLE unverified;
ALTER TABLE unverified_of_subject RENAME TO unverified;

CREATE TABLE target_of_subject (
    campaign BIGINT NOT NULL,
    place BIGINT NOT NULL CHECK (place >= 0),
    subject BIGINT NOT NULL,
    address BIGINT NOT NULL,
    -- The password as it was stored when the campaign was frozen.
    version BLOB NOT NULL CHECK (length(version) = 32),
    finding BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'sealing', 'sealed', 'skipped', 'reset',
        'reinstated', 'overtaken', 'put_back', 'held', 'grace')),
    skip_reason TEXT,
    -- Whether the account belongs to this campaign alone.
    open BOOLEAN NOT NULL,
    PRIMARY KEY (campaign, place),
    UNIQUE (campaign, subject),
    FOREIGN KEY (campaign, address) REFERENCES campaign_address (campaign, number),
    FOREIGN KEY (finding, subject) REFERENCES finding (id, subject),
    CHECK ((skip_reason IS NULL) = (state <> 'skipped'))
);
INSERT INTO target_of_subject (campaign, place, subject, address, version, finding, state, skip_reason, open)
    SELECT target.campaign, target.place, subject.id, target.address, target.version, target.finding,
        target.state, target.skip_reason, target.open
    FROM target JOIN subject ON subject.plain = target.account;
DROP TABLE target;
ALTER TABLE target_of_subject RENAME TO target;
CREATE UNIQUE INDEX target_in_one_open_campaign ON target (subject) WHERE open;
CREATE UNIQUE INDEX target_of_address ON target (campaign, address, subject);
CREATE INDEX target_by_state ON target (campaign, state, place);
CREATE INDEX target_of_subject ON target (subject);

CREATE TABLE target_finding_of_subject (
    campaign BIGINT NOT NULL,
    subject BIGINT NOT NULL,
    finding BIGINT NOT NULL,
    PRIMARY KEY (campaign, subject, finding),
    FOREIGN KEY (campaign, subject) REFERENCES target (campaign, subject),
    FOREIGN KEY (finding, subject) REFERENCES finding (id, subject)
);
INSERT INTO target_finding_of_subject (campaign, subject, finding)
    SELECT target_finding.campaign, subject.id, target_finding.finding
    FROM target_finding JOIN subject ON subject.plain = target_finding.account;
DROP TABLE target_finding;
ALTER TABLE target_finding_of_subject RENAME TO target_finding;

CREATE TABLE reset_line_of_subject (
    campaign BIGINT NOT NULL,
    subject BIGINT NOT NULL,
    -- The password as it was found in the leak; a verified rehash inherits it.
    version BLOB NOT NULL CHECK (length(version) = 32),
    replaced_version BLOB NOT NULL CHECK (length(replaced_version) = 32),
    sealed_version BLOB NOT NULL CHECK (length(sealed_version) = 32),
    intended_at BIGINT NOT NULL,
    recalled_at BIGINT,
    -- The old hash, ours, and whom to tell, encrypted; NULL once they are destroyed.
    wrapped_key BLOB,
    kept BLOB,
    PRIMARY KEY (campaign, subject),
    FOREIGN KEY (campaign, subject) REFERENCES target (campaign, subject),
    CHECK ((wrapped_key IS NULL) = (kept IS NULL))
);
INSERT INTO reset_line_of_subject (campaign, subject, version, replaced_version, sealed_version, intended_at, recalled_at,
        wrapped_key, kept)
    SELECT reset_line.campaign, subject.id, reset_line.version, reset_line.replaced_version,
        reset_line.sealed_version, reset_line.intended_at, reset_line.recalled_at,
        reset_line.wrapped_key, reset_line.kept
    FROM reset_line JOIN subject ON subject.plain = reset_line.account;
DROP TABLE reset_line;
ALTER TABLE reset_line_of_subject RENAME TO reset_line;
CREATE UNIQUE INDEX reset_line_once ON reset_line (subject, version) WHERE recalled_at IS NULL;

CREATE TABLE reset_evidence_of_subject (
    campaign BIGINT NOT NULL,
    subject BIGINT NOT NULL,
    finding BIGINT NOT NULL,
    PRIMARY KEY (campaign, subject, finding),
    FOREIGN KEY (campaign, subject) REFERENCES reset_line (campaign, subject),
    FOREIGN KEY (campaign, subject, finding) REFERENCES target_finding (campaign, subject, finding)
);
INSERT INTO reset_evidence_of_subject (campaign, subject, finding)
    SELECT reset_evidence.campaign, subject.id, reset_evidence.finding
    FROM reset_evidence JOIN subject ON subject.plain = reset_evidence.account;
DROP TABLE reset_evidence;
ALTER TABLE reset_evidence_of_subject RENAME TO reset_evidence;

CREATE TABLE notice_line_of_subject (
    notice BIGINT NOT NULL,
    campaign BIGINT NOT NULL,
    address BIGINT NOT NULL,
    subject BIGINT NOT NULL,
    PRIMARY KEY (notice, subject),
    FOREIGN KEY (notice, campaign, address) REFERENCES notice (id, campaign, address),
    FOREIGN KEY (campaign, address, subject) REFERENCES target (campaign, address, subject),
    FOREIGN KEY (campaign, subject) REFERENCES reset_line (campaign, subject)
);
INSERT INTO notice_line_of_subject (notice, campaign, address, subject)
    SELECT notice_line.notice, notice_line.campaign, notice_line.address, subject.id
    FROM notice_line JOIN subject ON subject.plain = notice_line.account;
DROP TABLE notice_line;
ALTER TABLE notice_line_of_subject RENAME TO notice_line;
CREATE INDEX notice_line_of_subject ON notice_line (campaign, subject);
CREATE TRIGGER notice_line_refuses_update BEFORE UPDATE ON notice_line
BEGIN
    SELECT RAISE(ABORT, 'rows of notice_line are only added');
END;

CREATE TRIGGER notice_line_refuses_delete BEFORE DELETE ON notice_line
BEGIN
    SELECT RAISE(ABORT, 'rows of notice_line are only added');
END;

CREATE TABLE reset_link_of_subject (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    subject BIGINT NOT NULL REFERENCES subject (id),
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
INSERT INTO reset_link_of_subject (id, subject, made_at, digest, mailed_at, expires_at, used_at, superseded)
    SELECT reset_link.id, subject.id, reset_link.made_at, reset_link.digest, reset_link.mailed_at,
        reset_link.expires_at, reset_link.used_at, reset_link.superseded
    FROM reset_link JOIN subject ON subject.plain = reset_link.account;
DROP TABLE reset_link;
ALTER TABLE reset_link_of_subject RENAME TO reset_link;
CREATE UNIQUE INDEX reset_link_by_digest ON reset_link (digest);
CREATE INDEX reset_link_of_subject ON reset_link (subject, mailed_at);
CREATE TRIGGER reset_link_stays_used BEFORE UPDATE ON reset_link
WHEN OLD.used_at IS NOT NULL AND (NEW.used_at IS NULL OR NEW.used_at <> OLD.used_at)
BEGIN
    SELECT RAISE(ABORT, 'a link that was used stays so');
END;

CREATE TABLE requested_notice_of_subject (
    notice BIGINT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind <> 'reset_required'),
    subject BIGINT NOT NULL REFERENCES subject (id),
    link BIGINT REFERENCES reset_link (id),
    made_at BIGINT NOT NULL,
    language TEXT NOT NULL,
    address_key BLOB NOT NULL CHECK (length(address_key) = 32),
    -- NULL for what nobody asked for: that a password was changed.
    source BLOB CHECK (length(source) = 32),
    -- Whom it goes to and what it tells, encrypted; NULL once it is sent, refused or uncertain.
    wrapped_key BLOB,
    kept BLOB,
    UNIQUE (link, kind),
    FOREIGN KEY (notice, kind) REFERENCES notice (id, kind),
    CHECK ((link IS NULL) = (kind = 'exposure_answer')),
    CHECK ((source IS NULL) = (kind = 'reset_done')),
    CHECK ((wrapped_key IS NULL) = (kept IS NULL))
);
INSERT INTO requested_notice_of_subject (notice, kind, subject, link, made_at, language, address_key, source, wrapped_key, kept)
    SELECT requested_notice.notice, requested_notice.kind, subject.id, requested_notice.link,
        requested_notice.made_at, requested_notice.language, requested_notice.address_key,
        requested_notice.source, requested_notice.wrapped_key, requested_notice.kept
    FROM requested_notice JOIN subject ON subject.plain = requested_notice.account;
DROP TABLE requested_notice;
ALTER TABLE requested_notice_of_subject RENAME TO requested_notice;
CREATE INDEX requested_notice_of_subject ON requested_notice (subject, made_at);
CREATE INDEX requested_notice_of_source ON requested_notice (source, made_at);

CREATE TABLE swap_of_subject (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    subject BIGINT NOT NULL REFERENCES subject (id),
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
INSERT INTO swap_of_subject (id, subject, purpose, campaign, round, link, expected, made, state, attempt, lease_owner,
        lease_until, passed, site, transaction_id, intended_at, ended_at)
    SELECT swap.id, subject.id, swap.purpose, swap.campaign, swap.round, swap.link, swap.expected,
        swap.made, swap.state, swap.attempt, swap.lease_owner, swap.lease_until, swap.passed,
        swap.site, swap.transaction_id, swap.intended_at, swap.ended_at
    FROM swap JOIN subject ON subject.plain = swap.account;
DROP TABLE swap;
ALTER TABLE swap_of_subject RENAME TO swap;
-- Sealing, putting back and choosing exclude each other.
CREATE UNIQUE INDEX swap_one_at_a_time ON swap (subject) WHERE state = 'intended';
-- A value that we make is made once. What is put back was there before.
CREATE UNIQUE INDEX swap_makes_once ON swap (made) WHERE purpose <> 'reinstate';
CREATE INDEX swap_of_subject ON swap (subject, id);
CREATE INDEX swap_left ON swap (lease_until, id) WHERE state = 'intended';
CREATE INDEX swap_of_campaign ON swap (campaign, id) WHERE state = 'intended';
CREATE TRIGGER swap_keeps_its_values BEFORE UPDATE OF id, subject, purpose, campaign, round, link,
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

-- A batch that is done forgets which accounts it was about.
UPDATE batch SET account_from = '', account_to = ''
    WHERE job IN (SELECT id FROM job WHERE done_at IS NOT NULL);
