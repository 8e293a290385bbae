-- The same in both folders but for the words that tests/it/schema.rs names.

-- Further addresses that the site knows the person by, one a line.
ALTER TABLE account ADD COLUMN other_emails TEXT;
