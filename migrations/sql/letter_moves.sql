-- How a letter moves: an event is inserted, and the database decides whether it may be.

-- Who acts, as the database knows it; what the site says of it is not asked.
CREATE FUNCTION letter_event_of_session() RETURNS trigger LANGUAGE plpgsql SECURITY INVOKER AS $$
DECLARE
    actor record;
BEGIN
    IF current_user <> 'shukun_app' THEN
        RETURN NEW;
    END IF;
    SELECT * INTO actor FROM session_actor();
    IF actor.session_id IS NULL THEN
        RAISE EXCEPTION 'nobody acts' USING ERRCODE = 'insufficient_privilege';
    END IF;
    NEW.by := coalesce('resident:' || actor.resident_id, 'staff:' || actor.staff_no);
    NEW.staff_id := actor.staff_id;
    NEW.resident_id := actor.resident_id;
    NEW.role := coalesce(actor.role, '');
    NEW.at := clock_timestamp();
    IF letter_seated(NEW.letter_id, NEW.deed, NEW.from_state, NEW.to_state) IS NOT TRUE THEN
        RAISE EXCEPTION 'not this seat' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END
$$;

-- Whether the session may make the move: for the applicant, or as one who decides there.
CREATE FUNCTION letter_seated(wanted bigint, done text, before text, after text) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    one letter;
    actor record;
    seat text := (SELECT m.seat FROM letter_move AS m
        WHERE m.deed = done AND m.from_state = before AND m.to_state = after);
BEGIN
    SELECT * INTO one FROM letter AS l WHERE l.id = wanted;
    SELECT * INTO actor FROM session_actor();
    IF seat LIKE 'applicant%' AND person_now(one.person_id) = ANY (authority_over('apply')) THEN
        RETURN true;
    END IF;
    RETURN seat = 'applicant_or_staff'
        AND actor.role IN ('township_reviewer', 'county_officer', 'city_officer')
        AND one.area BETWEEN actor.area_from AND actor.area_to;
END
$$;

-- A move that the table knows, from the state in which the letter is now, as its next event.
CREATE FUNCTION check_letter_event() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    one letter;
    move letter_move;
    needed text[];
BEGIN
    SELECT * INTO move FROM letter_move AS m WHERE m.deed = NEW.deed
        AND m.from_state = NEW.from_state AND m.to_state = NEW.to_state;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no such move' USING ERRCODE = 'check_violation', CONSTRAINT = 'letter_event_legal';
    END IF;
    SELECT * INTO one FROM letter AS l WHERE l.id = NEW.letter_id FOR UPDATE;
    IF one.state IS DISTINCT FROM NEW.from_state OR one.seq + 1 <> NEW.seq THEN
        RAISE EXCEPTION 'the letter has moved' USING ERRCODE = 'unique_violation', CONSTRAINT = 'letter_event_next';
    END IF;
    IF move.seat = 'system' AND num_nonnulls(NEW.staff_id, NEW.resident_id) > 0
        OR move.seat NOT LIKE '%system' AND num_nonnulls(NEW.staff_id, NEW.resident_id) <> 1 THEN
        RAISE EXCEPTION 'not this seat' USING ERRCODE = 'insufficient_privilege';
    END IF;
    needed := CASE NEW.deed WHEN 'present' THEN ARRAY['content', 'document']
        WHEN 'sign' THEN ARRAY['signature', 'will'] WHEN 'seal' THEN ARRAY['sealed', 'evidence'] END;
    IF NOT (coalesce(needed, '{}') <@ ARRAY(SELECT p.part FROM letter_part AS p
            WHERE p.letter_id = one.id)) THEN
        RAISE EXCEPTION 'something is missing' USING ERRCODE = 'check_violation', CONSTRAINT = 'letter_event_whole';
    END IF;
    RETURN NEW;
END
$$;

CREATE FUNCTION take_letter_event() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE letter SET state = NEW.to_state, seq = NEW.seq WHERE id = NEW.letter_id;
    RETURN NULL;
END
$$;

-- The state follows from the events; everything else of a letter stays as it was made.
CREATE FUNCTION letter_only_by_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'drafted' OR NEW.seq <> 0 THEN
            RAISE EXCEPTION 'a letter begins as a draft' USING ERRCODE = 'check_violation';
        END IF;
    ELSIF pg_trigger_depth() = 1 OR (to_jsonb(NEW) - 'state' - 'seq')
        IS DISTINCT FROM (to_jsonb(OLD) - 'state' - 'seq') THEN
        RAISE EXCEPTION 'a letter moves by events' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;

-- Each part comes when its turn is: nothing is added to a letter that was signed but its seal.
CREATE FUNCTION letter_part_in_turn() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    now_in text := (SELECT l.state FROM letter AS l WHERE l.id = NEW.letter_id FOR UPDATE);
    wanted text := CASE WHEN NEW.part IN ('content', 'document') THEN 'drafted'
        WHEN NEW.part IN ('signature', 'will') THEN 'identity_ok' ELSE 'signed' END;
BEGIN
    IF now_in IS DISTINCT FROM wanted THEN
        RAISE EXCEPTION 'not its turn' USING ERRCODE = 'check_violation', CONSTRAINT = 'letter_part_in_turn';
    END IF;
    RETURN NEW;
END
$$;

-- A wrapped key opens nothing by itself; it is told to whoever may see the letter.
CREATE FUNCTION key_of_letter(wanted bigint) RETURNS bytea LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN (SELECT p.data_key FROM letter AS l JOIN person AS p ON p.id = l.person_id
        WHERE l.id = wanted AND (l.area BETWEEN scope_low() AND scope_high()
            OR person_now(l.person_id) = ANY (authority_over('see') || authority_over('apply'))));
END
$$;

-- What anybody who has a letter's code may know of it: nothing of the person.
CREATE FUNCTION letter_by_code(wanted text)
RETURNS TABLE (template text, version integer, state text, day date, document_sha256 bytea,
    sealed_sha256 bytea, superseded boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN QUERY
        SELECT l.template, l.version, l.state, l.day, l.document_sha256,
            (SELECT p.sha256 FROM letter_part AS p WHERE p.letter_id = l.id AND p.part = 'sealed'),
            EXISTS (SELECT FROM letter AS newer WHERE newer.supersedes_id = l.id
                AND newer.state IN ('signed', 'sealed', 'delivered'))
        FROM letter AS l
        WHERE l.code = wanted AND l.state NOT IN ('drafted', 'presented', 'identity_ok');
END
$$;

-- How the account of the session became known as a person.
CREATE FUNCTION own_identity_method() RETURNS text LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN (SELECT c.method FROM identity_check AS c JOIN session_actor() AS a
            ON a.resident_id = c.resident_id
        WHERE c.outcome = 'matched' ORDER BY c.id DESC LIMIT 1);
END
$$;
