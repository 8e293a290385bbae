-- Instance keys. The one in force is in no database; what is still needed of those before it is kept
-- encrypted under it.

-- Which one that is. Every transaction that commits something reads this row last, and whoever puts
-- another key into force waits for those that have.
CREATE TABLE key_in_force (
    only_row BIGINT PRIMARY KEY CHECK (only_row = 1),
    id BYTEA NOT NULL CHECK (length(id) = 8),
    -- Tells whether a key is this one.
    key_check BYTEA NOT NULL
);

CREATE TABLE retired_key (
    -- 1 is the store's first key.
    number BIGINT NOT NULL PRIMARY KEY CHECK (number >= 1),
    id BYTEA NOT NULL UNIQUE CHECK (length(id) = 8),
    kept BYTEA NOT NULL
);

-- By which key something was made: NULL for the store's first one.
ALTER TABLE notice ADD COLUMN key_id BYTEA CHECK (length(key_id) = 8);
ALTER TABLE reset_link ADD COLUMN key_id BYTEA CHECK (length(key_id) = 8);
ALTER TABLE fold_snapshot ADD COLUMN key_id BYTEA CHECK (length(key_id) = 8);
