-- What was said in public stays as it was said.

CREATE TRIGGER statement_refuses_update BEFORE UPDATE ON statement
BEGIN
    SELECT RAISE(ABORT, 'rows of statement are only added');
END;

CREATE TRIGGER statement_refuses_delete BEFORE DELETE ON statement
BEGIN
    SELECT RAISE(ABORT, 'rows of statement are only added');
END;

-- A link that was used is used, and its password set once.
CREATE TRIGGER reset_link_stays_used BEFORE UPDATE ON reset_link
WHEN OLD.used_at IS NOT NULL AND (NEW.used_at IS NULL OR NEW.used_at <> OLD.used_at)
BEGIN
    SELECT RAISE(ABORT, 'a link that was used stays so');
END;
