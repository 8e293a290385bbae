-- Keyed hashes of 32 bytes each: of the claim that the password's hash is computed in a form, for every form in
-- which a leak's records were tried on it. None in rows of before, and of accounts that had no password.
ALTER TABLE tried ADD COLUMN forms BYTEA CHECK (length(forms) % 32 = 0);

-- What the accounts were that were read to be looked for in a leak; none in rows of before.
ALTER TABLE leak ADD COLUMN accounts_read BIGINT;
ALTER TABLE leak ADD COLUMN accounts_without_password BIGINT;
ALTER TABLE leak ADD COLUMN accounts_unreadable BIGINT;
