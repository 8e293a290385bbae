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
