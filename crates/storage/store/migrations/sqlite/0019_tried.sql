-- When the site's accounts were read to be looked for in a leak: what was stored later was compared with none
-- of its records.
ALTER TABLE leak ADD COLUMN looked_at BIGINT;
-- An earlier version did not note it. It was not before the leak was registered.
UPDATE leak SET looked_at = added_at WHERE state <> 'added';

-- Accounts that a leak names, and the password that its records were tried on, as it was stored then. Of
-- every other password of theirs nobody knows whether it stands in that leak.
CREATE TABLE tried (
    leak BIGINT NOT NULL REFERENCES leak (id),
    subject BIGINT NOT NULL REFERENCES subject (id),
    -- None if the account had no password.
    version BLOB CHECK (length(version) = 32),
    tried_at BIGINT NOT NULL,
    PRIMARY KEY (leak, subject)
);
CREATE INDEX tried_of_subject ON tried (subject);
CREATE INDEX unverified_of_subject ON unverified (subject);

-- Of the accounts of a batch that are not exposed, how many have hashes of each shape.
CREATE TABLE batch_shape (
    job BIGINT NOT NULL REFERENCES batch (job),
    shape TEXT NOT NULL,
    -- Keyed hashes of 32 bytes each: of the claim that hashes of this shape are computed in a form, for
    -- every form that was tried.
    forms BLOB NOT NULL CHECK (length(forms) % 32 = 0),
    accounts BIGINT NOT NULL CHECK (accounts > 0),
    PRIMARY KEY (job, shape, forms)
);

-- That a known password was verified on a hash of some shape in some form: a keyed hash of that claim, which
-- nobody without the instance key can make.
CREATE TABLE form_proof (
    fingerprint BLOB NOT NULL PRIMARY KEY CHECK (length(fingerprint) = 32)
);

-- How a hash begins that could not be tried, up to the first character that may be of its salt.
ALTER TABLE unverified ADD COLUMN head TEXT;

-- The records that could not be tried.
CREATE TABLE unverified_record (
    leak BIGINT NOT NULL,
    subject BIGINT NOT NULL,
    file BIGINT NOT NULL REFERENCES leak_file (id),
    line BIGINT NOT NULL CHECK (line >= 1),
    byte_offset BIGINT NOT NULL CHECK (byte_offset >= 0),
    PRIMARY KEY (leak, subject, file, byte_offset),
    FOREIGN KEY (leak, subject) REFERENCES unverified (leak, subject)
);
