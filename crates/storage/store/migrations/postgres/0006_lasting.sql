-- What is written here stays as it was written, whatever a query of ours asks for.
-- The head of the log only grows: it is the one row of the log that changes.

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are only added', TG_TABLE_NAME;
END $$;

CREATE FUNCTION refuse_shrinking() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% only grows', TG_TABLE_NAME;
END $$;

CREATE TRIGGER instance_refuses_change BEFORE UPDATE OR DELETE OR TRUNCATE ON instance
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER log_entry_refuses_change BEFORE UPDATE OR DELETE OR TRUNCATE ON log_entry
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER log_hash_refuses_change BEFORE UPDATE OR DELETE OR TRUNCATE ON log_hash
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER log_checkpoint_refuses_change BEFORE UPDATE OR DELETE OR TRUNCATE ON log_checkpoint
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER log_head_only_grows BEFORE UPDATE ON log_head
    FOR EACH ROW WHEN (NEW.size < OLD.size) EXECUTE FUNCTION refuse_shrinking();

CREATE TRIGGER log_head_refuses_delete BEFORE DELETE OR TRUNCATE ON log_head
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_shrinking();

-- What operators have signed stays as they signed it.

CREATE TRIGGER roster_document_refuses_change BEFORE UPDATE OR DELETE OR TRUNCATE ON roster_document
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER plan_refuses_change BEFORE UPDATE OR DELETE OR TRUNCATE ON plan
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER approval_refuses_change BEFORE UPDATE OR DELETE OR TRUNCATE ON approval
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Whom a notice speaks of is on record for ever.
CREATE TRIGGER notice_line_refuses_change BEFORE UPDATE OR DELETE OR TRUNCATE ON notice_line
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION refuse_sending_again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a notice that is final stays so';
END $$;

CREATE FUNCTION refuse_removal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % stay', TG_TABLE_NAME;
END $$;

-- A notice that is sent, refused or uncertain is never sent again. Only who was uncertain may
-- still learn which of the two others it was.
CREATE TRIGGER notice_stays_final BEFORE UPDATE OF state ON notice
    FOR EACH ROW
    WHEN (OLD.state IN ('sent', 'refused') AND NEW.state <> OLD.state
        OR OLD.state = 'uncertain' AND NEW.state IN ('pending', 'inflight'))
    EXECUTE FUNCTION refuse_sending_again();

CREATE TRIGGER notice_refuses_delete BEFORE DELETE OR TRUNCATE ON notice
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_removal();

CREATE FUNCTION count_notice() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        UPDATE notice_tally SET notices = notices - 1
            WHERE campaign = OLD.campaign AND state = OLD.state;
    END IF;
    INSERT INTO notice_tally AS tally (campaign, state, notices)
        VALUES (NEW.campaign, NEW.state, 1)
        ON CONFLICT (campaign, state) DO UPDATE SET notices = tally.notices + 1;
    RETURN NULL;
END $$;

-- What somebody asked for is no campaign's, and is not counted.
CREATE TRIGGER notice_is_counted AFTER INSERT OR UPDATE OF campaign, state ON notice
    FOR EACH ROW WHEN (NEW.campaign IS NOT NULL) EXECUTE FUNCTION count_notice();

-- What was said in public stays as it was said.

CREATE TRIGGER statement_refuses_change BEFORE UPDATE OR DELETE OR TRUNCATE ON statement
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- A link that was used is used, and its password set once.
CREATE FUNCTION keep_link_used() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a link that was used stays so';
END $$;

CREATE TRIGGER reset_link_stays_used BEFORE UPDATE ON reset_link
    FOR EACH ROW WHEN (OLD.used_at IS NOT NULL AND NEW.used_at IS DISTINCT FROM OLD.used_at)
    EXECUTE FUNCTION keep_link_used();
