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
