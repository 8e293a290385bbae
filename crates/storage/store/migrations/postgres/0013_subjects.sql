-- Rows and log name a subject, a number, instead of an account. To forget a person is to destroy
-- what one row holds.

CREATE TABLE subject (
    id BIGINT NOT NULL PRIMARY KEY,
    -- A keyed hash of the account's id, by which the subject is found.
    account_hash BYTEA UNIQUE CHECK (length(account_hash) = 32),
    -- The subject's own random key, wrapped; and the account's id, encrypted under it.
    subject_key BYTEA,
    account BYTEA,
    -- The account's id as an earlier version wrote it, until this one is first opened with its key.
    plain TEXT COLLATE "C" UNIQUE,
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
    fingerprint BYTEA NOT NULL PRIMARY KEY CHECK (length(fingerprint) = 32)
);
CREATE TRIGGER tombstone_refuses_change BEFORE UPDATE OR DELETE OR TRUNCATE ON tombstone
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Whose account a subject is stays, or is forgotten.
CREATE FUNCTION keep_subject() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'whom a subject names stays, or is forgotten';
END $$;
CREATE TRIGGER subject_stays BEFORE UPDATE ON subject
    FOR EACH ROW WHEN (NEW.id <> OLD.id
        OR NEW.account IS NOT NULL AND NEW.account IS DISTINCT FROM OLD.account
            AND OLD.plain IS NULL)
    EXECUTE FUNCTION keep_subject();
CREATE TRIGGER subject_refuses_delete BEFORE DELETE OR TRUNCATE ON subject
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_removal();

INSERT INTO subject (id, plain)
    SELECT row_number() OVER (ORDER BY account), account FROM (
        SELECT account FROM finding UNION SELECT account FROM unverified
        UNION SELECT account FROM swap UNION SELECT account FROM reset_link
        UNION SELECT account FROM requested_notice) AS named;
INSERT INTO subject_head (only_row, last) SELECT 1, COUNT(*) FROM subject;

DROP TRIGGER notice_line_refuses_change ON notice_line;
DROP TRIGGER swap_keeps_its_values ON swap;
DROP TRIGGER reset_link_stays_used ON reset_link;

ALTER TABLE finding ADD COLUMN subject BIGINT;
UPDATE finding SET subject = subject.id FROM subject WHERE subject.plain = finding.account;
ALTER TABLE finding ALTER COLUMN subject SET NOT NULL, DROP COLUMN account CASCADE;

ALTER TABLE unverified ADD COLUMN subject BIGINT;
UPDATE unverified SET subject = subject.id FROM subject WHERE subject.plain = unverified.account;
ALTER TABLE unverified ALTER COLUMN subject SET NOT NULL, DROP COLUMN account CASCADE;

ALTER TABLE target ADD COLUMN subject BIGINT;
UPDATE target SET subject = subject.id FROM subject WHERE subject.plain = target.account;
ALTER TABLE target ALTER COLUMN subject SET NOT NULL, DROP COLUMN account CASCADE;

ALTER TABLE target_finding ADD COLUMN subject BIGINT;
UPDATE target_finding SET subject = subject.id FROM subject WHERE subject.plain = target_finding.account;
ALTER TABLE target_finding ALTER COLUMN subject SET NOT NULL, DROP COLUMN account CASCADE;

ALTER TABLE reset_line ADD COLUMN subject BIGINT;
UPDATE reset_line SET subject = subject.id FROM subject WHERE subject.plain = reset_line.account;
ALTER TABLE reset_line ALTER COLUMN subject SET NOT NULL, DROP COLUMN account CASCADE;

ALTER TABLE reset_evidence ADD COLUMN subject BIGINT;
UPDATE reset_evidence SET subject = subject.id FROM subject WHERE subject.plain = reset_evidence.account;
ALTER TABLE reset_evidence ALTER COLUMN subject SET NOT NULL, DROP COLUMN account CASCADE;

ALTER TABLE notice_line ADD COLUMN subject BIGINT;
UPDATE notice_line SET subject = subject.id FROM subject WHERE subject.plain = notice_line.account;
ALTER TABLE notice_line ALTER COLUMN subject SET NOT NULL, DROP COLUMN account CASCADE;

ALTER TABLE reset_link ADD COLUMN subject BIGINT;
UPDATE reset_link SET subject = subject.id FROM subject WHERE subject.plain = reset_link.account;
ALTER TABLE reset_link ALTER COLUMN subject SET NOT NULL, DROP COLUMN account CASCADE;

ALTER TABLE requested_notice ADD COLUMN subject BIGINT;
UPDATE requested_notice SET subject = subject.id FROM subject WHERE subject.plain = requested_notice.account;
ALTER TABLE requested_notice ALTER COLUMN subject SET NOT NULL, DROP COLUMN account CASCADE;

ALTER TABLE swap ADD COLUMN subject BIGINT;
UPDATE swap SET subject = subject.id FROM subject WHERE subject.plain = swap.account;
ALTER TABLE swap ALTER COLUMN subject SET NOT NULL, DROP COLUMN account CASCADE;

ALTER TABLE finding ADD FOREIGN KEY (subject) REFERENCES subject (id);
ALTER TABLE finding ADD UNIQUE (leak, subject, version);
CREATE INDEX finding_by_state ON finding (state, subject);
CREATE INDEX finding_of_one_subject ON finding (subject);
CREATE UNIQUE INDEX finding_of_subject ON finding (id, subject);

ALTER TABLE unverified ADD PRIMARY KEY (leak, subject);
ALTER TABLE unverified ADD FOREIGN KEY (subject) REFERENCES subject (id);

ALTER TABLE target ADD UNIQUE (campaign, subject);
ALTER TABLE target ADD FOREIGN KEY (finding, subject) REFERENCES finding (id, subject);
CREATE UNIQUE INDEX target_in_one_open_campaign ON target (subject) WHERE open;
CREATE UNIQUE INDEX target_of_address ON target (campaign, address, subject);
CREATE INDEX target_of_subject ON target (subject);

ALTER TABLE target_finding ADD PRIMARY KEY (campaign, subject, finding);
ALTER TABLE target_finding ADD FOREIGN KEY (campaign, subject) REFERENCES target (campaign, subject);
ALTER TABLE target_finding ADD FOREIGN KEY (finding, subject) REFERENCES finding (id, subject);

ALTER TABLE reset_line ADD PRIMARY KEY (campaign, subject);
ALTER TABLE reset_line ADD FOREIGN KEY (campaign, subject) REFERENCES target (campaign, subject);
CREATE UNIQUE INDEX reset_line_once ON reset_line (subject, version) WHERE recalled_at IS NULL;

ALTER TABLE reset_evidence ADD PRIMARY KEY (campaign, subject, finding);
ALTER TABLE reset_evidence
    ADD FOREIGN KEY (campaign, subject) REFERENCES reset_line (campaign, subject);
ALTER TABLE reset_evidence ADD FOREIGN KEY (campaign, subject, finding)
    REFERENCES target_finding (campaign, subject, finding);

ALTER TABLE notice_line ADD PRIMARY KEY (notice, subject);
ALTER TABLE notice_line ADD FOREIGN KEY (campaign, address, subject)
    REFERENCES target (campaign, address, subject);
ALTER TABLE notice_line
    ADD FOREIGN KEY (campaign, subject) REFERENCES reset_line (campaign, subject);
CREATE INDEX notice_line_of_subject ON notice_line (campaign, subject);
CREATE TRIGGER notice_line_refuses_change BEFORE UPDATE OR DELETE OR TRUNCATE ON notice_line
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

ALTER TABLE reset_link ADD FOREIGN KEY (subject) REFERENCES subject (id);
CREATE INDEX reset_link_of_subject ON reset_link (subject, mailed_at);
CREATE TRIGGER reset_link_stays_used BEFORE UPDATE ON reset_link
    FOR EACH ROW WHEN (OLD.used_at IS NOT NULL AND NEW.used_at IS DISTINCT FROM OLD.used_at)
    EXECUTE FUNCTION keep_link_used();

ALTER TABLE requested_notice ADD FOREIGN KEY (subject) REFERENCES subject (id);
CREATE INDEX requested_notice_of_subject ON requested_notice (subject, made_at);

ALTER TABLE swap ADD FOREIGN KEY (subject) REFERENCES subject (id);
CREATE UNIQUE INDEX swap_one_at_a_time ON swap (subject) WHERE state = 'intended';
CREATE INDEX swap_of_subject ON swap (subject, id);
CREATE TRIGGER swap_keeps_its_values BEFORE UPDATE OF id, subject, purpose, campaign, round, link,
    expected, made, intended_at ON swap
    FOR EACH ROW EXECUTE FUNCTION keep_swap();

-- A batch that is done forgets which accounts it was about.
UPDATE batch SET account_from = '', account_to = ''
    WHERE job IN (SELECT id FROM job WHERE done_at IS NOT NULL);
