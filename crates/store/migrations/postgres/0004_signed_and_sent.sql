-- What operators have signed stays as they signed it.

CREATE TRIGGER roster_document_refuses_change BEFORE UPDATE OR DELETE OR TRUNCATE ON roster_document
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER plan_refuses_change BEFORE UPDATE OR DELETE OR TRUNCATE ON plan
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER approval_refuses_change BEFORE UPDATE OR DELETE OR TRUNCATE ON approval
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- A notice that is sent, refused or uncertain is never sent again.
CREATE FUNCTION refuse_sending_again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a notice that is final stays so';
END $$;

CREATE FUNCTION refuse_removal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % stay', TG_TABLE_NAME;
END $$;

CREATE TRIGGER notice_stays_final BEFORE UPDATE OF state ON notice
    FOR EACH ROW
    WHEN (OLD.state IN ('sent', 'refused', 'uncertain') AND NEW.state IN ('pending', 'inflight'))
    EXECUTE FUNCTION refuse_sending_again();

CREATE TRIGGER notice_refuses_delete BEFORE DELETE OR TRUNCATE ON notice
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_removal();
