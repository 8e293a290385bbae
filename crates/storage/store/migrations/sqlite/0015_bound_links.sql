-- Whose password a link sets, which one, and until when: a keyed hash, so that nobody else makes one.
ALTER TABLE reset_link ADD COLUMN binding BLOB CHECK (length(binding) = 32);
