-- 公示: what anybody may see of it, what objectors may leave, and until when a case waits.

-- The number of the approval that a case is in notice for.
CREATE FUNCTION noticed_by(wanted bigint) RETURNS integer
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN (SELECT max(s.seq) FROM application_step AS s
        WHERE s.application_id = wanted AND s.deed = 'approve');
END
$$;

-- The lists that are up today in places of this range.
CREATE FUNCTION public_notices_up(low bigint, high bigint)
RETURNS TABLE (id bigint, area bigint, first_day date, last_day date, people bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN QUERY
        SELECT n.id, n.area, n.first_day, n.last_day, count(*)
        FROM public_notice AS n
        JOIN public_notice_entry AS e ON e.notice_id = n.id
        JOIN application AS a ON a.id = e.application_id AND a.state = 'noticed'
            AND e.seq = noticed_by(a.id)
        WHERE n.area BETWEEN low AND high
            AND (now() AT TIME ZONE 'Asia/Shanghai')::date BETWEEN n.first_day AND n.last_day
        GROUP BY n.id ORDER BY n.area, n.first_day, n.id LIMIT 200;
END
$$;

-- Who is on such a list, masked: more than that is not kept in it. What is no longer in notice (the
-- person withdrew, an objection was upheld) is off the list at once.
CREATE FUNCTION public_notice_rows(wanted bigint)
RETURNS TABLE (id bigint, name text, number text, kind text, area bigint, first_day date,
    last_day date)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN QUERY
        SELECT e.id, e.name, e.number, e.kind, n.area, n.first_day, n.last_day
        FROM public_notice AS n
        JOIN public_notice_entry AS e ON e.notice_id = n.id
        JOIN application AS a ON a.id = e.application_id AND a.state = 'noticed'
            AND e.seq = noticed_by(a.id)
        WHERE n.id = wanted
            AND (now() AT TIME ZONE 'Asia/Shanghai')::date BETWEEN n.first_day AND n.last_day
        ORDER BY e.id;
END
$$;

-- An objection of anybody to an entry of a list that is up; one a client key. Nothing: it is down.
CREATE FUNCTION object_to_notice(own bigint, list bigint, about bigint, key text, said bytea,
    reach bytea, sealed_code bytea, index_of_code bytea)
RETURNS TABLE (id bigint, code bytea, entry bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    case_of bigint;
    place bigint;
BEGIN
    SELECT a.id, a.area INTO case_of, place
        FROM public_notice AS n
        JOIN public_notice_entry AS e ON e.notice_id = n.id
        JOIN application AS a ON a.id = e.application_id AND a.state = 'noticed'
            AND e.seq = noticed_by(a.id)
        WHERE n.id = list AND e.id = about
            AND (now() AT TIME ZONE 'Asia/Shanghai')::date BETWEEN n.first_day AND n.last_day
        FOR SHARE OF a;
    IF FOUND THEN
        INSERT INTO notice_objection (id, notice_id, entry_id, application_id, area, client_key,
                words, contact, code, code_index)
            VALUES (own, list, about, case_of, place, key, said, reach, sealed_code, index_of_code)
            ON CONFLICT (notice_id, client_key) DO NOTHING;
    END IF;
    RETURN QUERY SELECT o.id, o.code, o.entry_id FROM notice_objection AS o
        WHERE o.notice_id = list AND o.client_key = key;
END
$$;

-- What became of an objection, for whoever shows its code.
CREATE FUNCTION objection_by_code(indexes bytea[])
RETURNS TABLE (id bigint, state text, made_on date, decided_on date, answer bytea)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN QUERY
        SELECT o.id, o.state, (o.made_at AT TIME ZONE 'Asia/Shanghai')::date,
            (o.decided_at AT TIME ZONE 'Asia/Shanghai')::date, o.answer
        FROM notice_objection AS o
        WHERE o.code_index = ANY (indexes) AND o.code_index <> '';
END
$$;

-- An objection is decided once, by who has the case's desk and is no part of the case.
CREATE FUNCTION objection_decided() RETURNS trigger LANGUAGE plpgsql
SECURITY INVOKER SET search_path = public, pg_temp AS $$
BEGIN
    IF (current_user = 'shukun_app' OR (NEW.state, NEW.decided_at, NEW.staff_id)
            IS DISTINCT FROM (OLD.state, OLD.decided_at, OLD.staff_id))
        AND (OLD.state <> 'open' OR NEW.state = 'open') THEN
        RAISE EXCEPTION 'decided already' USING ERRCODE = 'check_violation',
            CONSTRAINT = 'notice_objection_once';
    END IF;
    IF current_user = 'shukun_app' THEN
        NEW.staff_id := scope_staff();
        NEW.decided_at := clock_timestamp();
    END IF;
    RETURN NEW;
END
$$;

-- A notice is over when its list is down and no objection waits. Where the case never was on a list
-- the system alone may say so: a notice that nobody could see is none.
CREATE FUNCTION notice_over() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    until date := (SELECT n.last_day FROM public_notice_entry AS e
        JOIN public_notice AS n ON n.id = e.notice_id
        WHERE e.application_id = NEW.application_id AND e.seq = noticed_by(NEW.application_id));
BEGIN
    IF until IS NULL AND NEW.staff_id IS NOT NULL
        OR until >= (now() AT TIME ZONE 'Asia/Shanghai')::date
        OR EXISTS (SELECT FROM notice_objection AS o
            WHERE o.application_id = NEW.application_id AND o.state = 'open') THEN
        RAISE EXCEPTION 'the notice is not over' USING ERRCODE = 'check_violation',
            CONSTRAINT = 'application_step_notice_over';
    END IF;
    RETURN NEW;
END
$$;
