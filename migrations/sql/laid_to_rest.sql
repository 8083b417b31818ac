-- A case may be laid to rest when it is over, and its years have gone by since; by this clock.
CREATE FUNCTION rest_due() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    NEW.at := clock_timestamp();
    PERFORM FROM application AS a WHERE a.id = NEW.application_id
        AND a.ended_at + make_interval(years => greatest(a.keep_years, 1)) <= NEW.at FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the case is still kept' USING ERRCODE = 'check_violation', CONSTRAINT = 'application_rested_due';
    END IF;
    RETURN NEW;
END
$$;

-- What was said, handed in and signed is gone; that there was a case, how it went and when, stays.
-- Stored files are swept once no paper names them.
CREATE FUNCTION rest_taken() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    DELETE FROM application_answer WHERE application_id = NEW.application_id;
    UPDATE application_step SET note = '' WHERE application_id = NEW.application_id AND note <> '';
    DELETE FROM letter_part AS p USING letter AS l
        WHERE l.id = p.letter_id AND l.application_id = NEW.application_id;
    UPDATE paper SET state = 'removed'
        WHERE application_id = NEW.application_id AND state <> 'removed';
    DELETE FROM paper_piece AS b USING paper AS p
        WHERE p.id = b.paper_id AND p.application_id = NEW.application_id;
    DELETE FROM paper_content AS c USING paper AS p
        WHERE p.id = c.paper_id AND p.application_id = NEW.application_id;
    UPDATE application SET expected = NULL, expected_told = '', code = '', code_index = ''
        WHERE id = NEW.application_id;
    RETURN NULL;
END
$$;

-- Parts of a letter go when its case is laid to rest, and not otherwise.
CREATE FUNCTION letter_part_kept() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM letter AS l JOIN application_rested AS r USING (application_id)
            WHERE l.id = OLD.letter_id) THEN
        RAISE EXCEPTION 'the letter is still kept' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN OLD;
END
$$;

-- So do answers.
CREATE FUNCTION answer_kept() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM application_rested AS r
            WHERE r.application_id = OLD.application_id) THEN
        RAISE EXCEPTION 'the answer is still kept' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN OLD;
END
$$;

-- Nothing moves a case that was laid to rest. Asked when the case is locked.
CREATE FUNCTION step_not_at_rest() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM application_rested AS r
            WHERE r.application_id = NEW.application_id) THEN
        RAISE EXCEPTION 'the case is at rest' USING ERRCODE = 'check_violation', CONSTRAINT = 'application_step_legal';
    END IF;
    RETURN NEW;
END
$$;
