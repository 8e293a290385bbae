-- What is written here stays as it was written, whatever a query of ours asks for.
-- The head of the log only grows: it is the one row of the log that changes.

CREATE TRIGGER instance_refuses_update BEFORE UPDATE ON instance
BEGIN
    SELECT RAISE(ABORT, 'rows of instance are only added');
END;

CREATE TRIGGER instance_refuses_delete BEFORE DELETE ON instance
BEGIN
    SELECT RAISE(ABORT, 'rows of instance are only added');
END;

CREATE TRIGGER log_entry_refuses_update BEFORE UPDATE ON log_entry
BEGIN
    SELECT RAISE(ABORT, 'rows of log_entry are only added');
END;

CREATE TRIGGER log_entry_refuses_delete BEFORE DELETE ON log_entry
BEGIN
    SELECT RAISE(ABORT, 'rows of log_entry are only added');
END;

CREATE TRIGGER log_hash_refuses_update BEFORE UPDATE ON log_hash
BEGIN
    SELECT RAISE(ABORT, 'rows of log_hash are only added');
END;

CREATE TRIGGER log_hash_refuses_delete BEFORE DELETE ON log_hash
BEGIN
    SELECT RAISE(ABORT, 'rows of log_hash are only added');
END;

CREATE TRIGGER log_checkpoint_refuses_update BEFORE UPDATE ON log_checkpoint
BEGIN
    SELECT RAISE(ABORT, 'rows of log_checkpoint are only added');
END;

CREATE TRIGGER log_checkpoint_refuses_delete BEFORE DELETE ON log_checkpoint
BEGIN
    SELECT RAISE(ABORT, 'rows of log_checkpoint are only added');
END;

CREATE TRIGGER log_head_only_grows BEFORE UPDATE ON log_head
WHEN NEW.size < OLD.size
BEGIN
    SELECT RAISE(ABORT, 'log_head only grows');
END;

CREATE TRIGGER log_head_refuses_delete BEFORE DELETE ON log_head
BEGIN
    SELECT RAISE(ABORT, 'log_head only grows');
END;

-- What operators have signed stays as they signed it.

CREATE TRIGGER roster_document_refuses_update BEFORE UPDATE ON roster_document
BEGIN
    SELECT RAISE(ABORT, 'rows of roster_document are only added');
END;

CREATE TRIGGER roster_document_refuses_delete BEFORE DELETE ON roster_document
BEGIN
    SELECT RAISE(ABORT, 'rows of roster_document are only added');
END;

CREATE TRIGGER plan_refuses_update BEFORE UPDATE ON plan
BEGIN
    SELECT RAISE(ABORT, 'rows of plan are only added');
END;

CREATE TRIGGER plan_refuses_delete BEFORE DELETE ON plan
BEGIN
    SELECT RAISE(ABORT, 'rows of plan are only added');
END;

CREATE TRIGGER approval_refuses_update BEFORE UPDATE ON approval
BEGIN
    SELECT RAISE(ABORT, 'rows of approval are only added');
END;

CREATE TRIGGER approval_refuses_delete BEFORE DELETE ON approval
BEGIN
    SELECT RAISE(ABORT, 'rows of approval are only added');
END;

-- Whom a notice speaks of is on record for ever.

CREATE TRIGGER notice_line_refuses_update BEFORE UPDATE ON notice_line
BEGIN
    SELECT RAISE(ABORT, 'rows of notice_line are only added');
END;

CREATE TRIGGER notice_line_refuses_delete BEFORE DELETE ON notice_line
BEGIN
    SELECT RAISE(ABORT, 'rows of notice_line are only added');
END;

-- A notice that is sent, refused or uncertain is never sent again. Only who was uncertain may
-- still learn which of the two others it was.
CREATE TRIGGER notice_stays_final BEFORE UPDATE OF state ON notice
WHEN OLD.state IN ('sent', 'refused') AND NEW.state <> OLD.state
    OR OLD.state = 'uncertain' AND NEW.state IN ('pending', 'inflight')
BEGIN
    SELECT RAISE(ABORT, 'a notice that is final stays so');
END;

CREATE TRIGGER notice_refuses_delete BEFORE DELETE ON notice
BEGIN
    SELECT RAISE(ABORT, 'rows of notice stay');
END;

-- What somebody asked for is no campaign's, and is not counted.
CREATE TRIGGER notice_is_counted AFTER INSERT ON notice WHEN NEW.campaign IS NOT NULL
BEGIN
    INSERT INTO notice_tally (campaign, state, notices) VALUES (NEW.campaign, NEW.state, 1)
        ON CONFLICT (campaign, state) DO UPDATE SET notices = notices + 1;
END;

CREATE TRIGGER notice_is_counted_anew AFTER UPDATE OF campaign, state ON notice
WHEN NEW.campaign IS NOT NULL
BEGIN
    UPDATE notice_tally SET notices = notices - 1
        WHERE campaign = OLD.campaign AND state = OLD.state;
    INSERT INTO notice_tally (campaign, state, notices) VALUES (NEW.campaign, NEW.state, 1)
        ON CONFLICT (campaign, state) DO UPDATE SET notices = notices + 1;
END;

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
