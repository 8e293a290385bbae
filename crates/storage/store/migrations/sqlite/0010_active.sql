-- The same in both folders but for the words that tests/it/schema.rs names.

-- Whether the site still lets the account in; NULL where the export did not say.
ALTER TABLE account ADD COLUMN active BOOLEAN;
