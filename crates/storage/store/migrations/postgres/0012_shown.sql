-- What recipients see: the text of each notice as it was sent, encrypted, and what a leak is called
-- in it.
CREATE TABLE notice_text (
    notice BIGINT NOT NULL PRIMARY KEY REFERENCES notice (id),
    wrapped_key BYTEA NOT NULL,
    body BYTEA NOT NULL
);

ALTER TABLE leak ADD COLUMN public_name TEXT;
