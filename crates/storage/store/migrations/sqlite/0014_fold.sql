-- What the log says of what is acted on, up to some entry: a process that begins need not read all
-- of it. It is a copy, authenticated under the instance key.
CREATE TABLE fold_snapshot (
    size BIGINT NOT NULL PRIMARY KEY CHECK (size > 0),
    body BLOB NOT NULL,
    mac BLOB NOT NULL
);
