-- The same in both folders but for the words that tests/it/schema.rs names.

-- How often a notice was put off for its address's sake, and when the relay last said no to it.
ALTER TABLE notice ADD COLUMN put_offs BIGINT NOT NULL DEFAULT 0 CHECK (put_offs >= 0);
ALTER TABLE notice ADD COLUMN put_off_at BIGINT;

-- When the relay last took a mail: whether it works tells a fault of ours from an address's.
CREATE INDEX notice_sent ON notice (ended_at) WHERE state = 'sent';

-- Since when nobody is told, because the relay or something on the way to it fails. No row: it
-- works.
CREATE TABLE sending_pause (
    only_row BIGINT PRIMARY KEY CHECK (only_row = 1),
    since BIGINT NOT NULL,
    -- From one probe to the next, and when the next one may begin.
    step BIGINT NOT NULL CHECK (step >= 0),
    probe_at BIGINT NOT NULL,
    -- The one notice that was tried last.
    probe BIGINT REFERENCES notice (id),
    -- What the relay said, to which command; never with a recipient's address.
    phase TEXT NOT NULL,
    code BIGINT,
    answer TEXT NOT NULL
);
