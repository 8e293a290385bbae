-- What the databases spell differently: words that a state may have from now on, and what stays as
-- it was written.

ALTER TABLE target DROP CONSTRAINT target_state_check;
ALTER TABLE target ADD CONSTRAINT target_state_check CHECK (state IN ('pending', 'sealing',
    'sealed', 'skipped', 'reset', 'reinstated', 'overtaken', 'held', 'grace'));

-- What we may have written to the site is on record for ever.
CREATE FUNCTION keep_swap() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what a swap is about stays';
END $$;

CREATE TRIGGER swap_keeps_its_values BEFORE UPDATE OF id, account, purpose, campaign, round, link,
    expected, made, intended_at ON swap
    FOR EACH ROW EXECUTE FUNCTION keep_swap();

CREATE TRIGGER swap_refuses_delete BEFORE DELETE OR TRUNCATE ON swap
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_removal();

CREATE FUNCTION keep_swap_ended() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a swap that has ended stays so';
END $$;

-- Only a value that is found standing in the site's table after all may change what is known.
CREATE TRIGGER swap_stays_ended BEFORE UPDATE OF state, attempt, passed ON swap
    FOR EACH ROW WHEN (OLD.state <> 'intended' AND NEW.state <> 'done')
    EXECUTE FUNCTION keep_swap_ended();

-- What is being set with a link is a swap now. One that was interrupted is judged like any other.
INSERT INTO swap (account, purpose, link, expected, made, state, attempt, lease_owner, lease_until,
        passed, intended_at)
    SELECT DISTINCT ON (account) account, 'choose', id, intended_version, intended_version,
        'intended', 1, '', 0, 1, made_at
    FROM reset_link WHERE used_at IS NULL AND intended_version IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM swap WHERE swap.account = reset_link.account
            AND swap.state = 'intended');
ALTER TABLE reset_link DROP COLUMN intended_version, DROP COLUMN intended_until;
