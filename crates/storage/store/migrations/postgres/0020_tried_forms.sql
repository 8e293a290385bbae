-- Keyed hashes of 32 bytes each: of the claim that the password's hash is computed in a form, for every form in
-- which a leak's records were tried on it. None in rows of before, and of accounts that had no password.
ALTER TABLE tried ADD COLUMN forms BYTEA CHECK (length(forms) % 32 = 0);
