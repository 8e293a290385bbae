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

-- A notice that is sent, refused or uncertain is never sent again.
CREATE TRIGGER notice_stays_final BEFORE UPDATE OF state ON notice
WHEN OLD.state IN ('sent', 'refused', 'uncertain') AND NEW.state IN ('pending', 'inflight')
BEGIN
    SELECT RAISE(ABORT, 'a notice that is final stays so');
END;

CREATE TRIGGER notice_refuses_delete BEFORE DELETE ON notice
BEGIN
    SELECT RAISE(ABORT, 'rows of notice stay');
END;
