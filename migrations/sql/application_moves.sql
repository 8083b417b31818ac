-- How a case moves: a step is inserted, and the database decides whether it may be.

-- Which desk has a case of this state and place: the role of the state, raised `up` levels, and
-- further up where the place is known only above it, or where nobody is on duty.
CREATE FUNCTION desk_of(base text, place bigint, up integer) RETURNS text LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    roles CONSTANT text[] := ARRAY['township_reviewer', 'county_officer', 'city_officer'];
    places CONSTANT bigint[] := ARRAY[1000, 1000000, 100000000];
    wanted integer := array_position(roles, base);
BEGIN
    IF wanted IS NULL THEN
        RETURN base;
    END IF;
    wanted := least(wanted + up, 3);
    WHILE wanted < 3 AND mod(place, places[wanted + 1]) < places[wanted] LOOP
        wanted := wanted + 1;
    END LOOP;
    FOR level IN wanted .. 3 LOOP
        IF list_manned(roles[level], place - mod(place, places[level])) THEN
            RETURN roles[level];
        END IF;
    END LOOP;
    RETURN roles[wanted];
END
$$;

-- Whether a member of staff is part of the case: it is the own one or of the own household, of
-- somebody whose guardian they are or who is theirs, or for whom they hold an authority; they helped
-- to apply; or they said so themselves (回避).
CREATE FUNCTION concerned_in(wanted bigint, employee bigint) RETURNS boolean LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN EXISTS (SELECT FROM application AS a WHERE a.id = wanted AND a.staff_id = employee)
        OR EXISTS (SELECT FROM application_step AS s JOIN application_move AS m
                USING (deed, from_state, to_state)
            WHERE s.application_id = wanted AND s.staff_id = employee AND m.seat = 'applicant')
        OR EXISTS (SELECT FROM application_recusal AS r
            WHERE r.application_id = wanted AND r.staff_id = employee)
        OR EXISTS (
            SELECT FROM application AS a
            JOIN person AS whom ON whom.id = person_now(a.person_id)
            JOIN staff_person AS s ON s.staff_id = employee
            JOIN person AS self ON self.id = person_now(s.person_id)
            WHERE a.id = wanted AND (self.id = whom.id
                OR self.household_id = whom.household_id AND whom.household_id <> 0
                OR self.id = person_now(whom.guardian_id) OR whom.id = person_now(self.guardian_id)
                OR EXISTS (SELECT FROM family_authority AS f
                    JOIN resident AS r ON r.id = f.resident_id
                    WHERE person_now(f.person_id) = whom.id AND person_now(r.person_id) = self.id
                        OR person_now(f.person_id) = self.id
                            AND person_now(r.person_id) = whom.id)));
END
$$;

-- Who acts, as the database knows it; what the site says of it is not asked.
CREATE FUNCTION step_of_session() RETURNS trigger LANGUAGE plpgsql SECURITY INVOKER AS $$
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
    -- Not `NOT sits`: who has no desk at all is told apart by NULL.
    IF sits(NEW.application_id, NEW.deed, NEW.from_state, NEW.to_state) IS NOT TRUE THEN
        RAISE EXCEPTION 'not this seat' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END
$$;

-- Whether the session sits where the move is made from: for the applicant, or at the desk.
CREATE FUNCTION sits(wanted bigint, done text, before text, after text) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    one application;
    actor record;
    seat text := (SELECT m.seat FROM application_move AS m
        WHERE m.deed = done AND m.from_state = before AND m.to_state = after);
    roles CONSTANT text[] := ARRAY['township_reviewer', 'county_officer', 'city_officer'];
    own integer;
    least_level integer := CASE seat WHEN 'township' THEN 1 WHEN 'county' THEN 2
        WHEN 'system_or_county' THEN 2 END;
BEGIN
    SELECT * INTO one FROM application AS a WHERE a.id = wanted;
    SELECT * INTO actor FROM session_actor();
    IF seat = 'applicant' THEN
        RETURN person_now(one.person_id) = ANY (authority_over('apply'));
    END IF;
    own := array_position(roles, actor.role);
    RETURN own >= least_level AND one.area BETWEEN actor.area_from AND actor.area_to
        AND (one.desk = actor.role OR one.desk NOT IN (SELECT unnest(roles)))
        AND NOT EXISTS (SELECT FROM application_claim AS c
            WHERE c.application_id = wanted AND c.staff_id <> actor.staff_id);
END
$$;

-- A move that the table knows, from the state in which the case is now, as its next step, by
-- somebody who is no part of the case and did not do what another must have done.
CREATE FUNCTION check_step() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    one application;
    move application_move;
    fits boolean;
BEGIN
    SELECT * INTO move FROM application_move AS m WHERE m.deed = NEW.deed
        AND m.from_state = NEW.from_state AND m.to_state = NEW.to_state;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no such move' USING ERRCODE = 'check_violation', CONSTRAINT = 'application_step_legal';
    END IF;
    SELECT * INTO one FROM application AS a WHERE a.id = NEW.application_id FOR UPDATE;
    IF one.state IS DISTINCT FROM NEW.from_state OR one.seq + 1 <> NEW.seq THEN
        RAISE EXCEPTION 'the case has moved' USING ERRCODE = 'unique_violation', CONSTRAINT = 'application_step_next';
    END IF;
    fits := CASE move.given
        WHEN '' THEN true
        WHEN 'filing' THEN one.filing
        WHEN 'not_filing' THEN NOT one.filing
        WHEN 'fast_lane' THEN one.fast_lane
        WHEN 'notice' THEN one.notice
        WHEN 'no_notice' THEN NOT one.notice
        WHEN 'back' THEN NEW.to_state = (SELECT s.from_state FROM application_step AS s
            WHERE s.application_id = one.id AND s.deed = 'propose' ORDER BY s.seq DESC LIMIT 1)
        ELSE false
    END;
    IF fits IS NOT TRUE THEN
        RAISE EXCEPTION 'not for this case' USING ERRCODE = 'check_violation', CONSTRAINT = 'application_step_given';
    END IF;
    IF (NEW.staff_id IS NULL AND NEW.resident_id IS NULL)
        <> (move.seat = 'system' OR move.seat = 'system_or_county' AND NEW.staff_id IS NULL) THEN
        RAISE EXCEPTION 'not this seat' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF move.seat NOT IN ('applicant', 'system') AND NEW.staff_id IS NOT NULL AND (
        concerned_in(one.id, NEW.staff_id)
        OR EXISTS (SELECT FROM application_step AS s WHERE s.application_id = one.id
            AND s.staff_id = NEW.staff_id AND s.deed = ANY (move.apart))
    ) THEN
        RAISE EXCEPTION 'another person is needed' USING ERRCODE = 'check_violation', CONSTRAINT = 'application_step_apart';
    END IF;
    IF NEW.deed = 'review' AND NEW.proposal = '' OR NEW.deed IN ('ask', 'refuse', 'propose', 'revoke', 'stop')
        AND NEW.reason = '' THEN
        RAISE EXCEPTION 'a reason is needed' USING ERRCODE = 'check_violation', CONSTRAINT = 'application_step_reasoned';
    END IF;
    RETURN NEW;
END
$$;

CREATE FUNCTION take_step() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    base record;
BEGIN
    SELECT * INTO base FROM application_state AS s WHERE s.state = NEW.to_state;
    -- In an emergency the county helps first: what was accepted goes straight there.
    IF NEW.to_state = 'accepted' AND (SELECT a.fast_lane FROM application AS a
        WHERE a.id = NEW.application_id) THEN
        base.desk := 'county_officer';
    END IF;
    UPDATE application AS a SET state = NEW.to_state, seq = NEW.seq,
            raised = CASE WHEN NEW.deed = 'escalate' THEN a.raised + 1 ELSE 0 END,
            desk = desk_of(base.desk, a.area,
                CASE WHEN NEW.deed = 'escalate' THEN a.raised + 1 ELSE 0 END),
            proposal = CASE WHEN NEW.deed = 'review' THEN NEW.proposal
                WHEN NEW.to_state IN ('reviewed', 'noticed', 'granted', 'refused') THEN a.proposal
                ELSE '' END,
            submitted_at = CASE WHEN NEW.deed = 'submit' THEN NEW.at ELSE a.submitted_at END,
            ended_at = CASE WHEN base.over THEN NEW.at END
        WHERE a.id = NEW.application_id;
    DELETE FROM application_claim AS c USING application AS a
        WHERE c.application_id = NEW.application_id AND a.id = c.application_id
            AND NOT EXISTS (SELECT FROM duty AS d
                WHERE d.id = c.duty_id AND d.role = a.desk);
    RETURN NULL;
END
$$;

-- The state of a case follows from its steps, and from nothing else.
CREATE FUNCTION only_by_steps() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'draft' OR NEW.seq <> 0 OR NEW.raised <> 0 OR NEW.proposal <> ''
            OR NEW.desk <> 'applicant' THEN
            RAISE EXCEPTION 'a case begins as a draft' USING ERRCODE = 'check_violation';
        END IF;
    ELSIF (NEW.state, NEW.seq, NEW.desk, NEW.raised, NEW.proposal, NEW.submitted_at, NEW.ended_at)
        IS DISTINCT FROM
        (OLD.state, OLD.seq, OLD.desk, OLD.raised, OLD.proposal, OLD.submitted_at, OLD.ended_at)
        AND pg_trigger_depth() = 1 THEN
        RAISE EXCEPTION 'a case moves by steps' USING ERRCODE = 'check_violation';
    ELSIF pg_trigger_depth() = 1 AND OLD.state NOT IN ('draft', 'supplement')
        AND (NEW.kind, NEW.person_id, NEW.subject, NEW.category, NEW.fast_lane, NEW.filing, NEW.notice,
            NEW.policy, NEW.expected, NEW.expected_told)
        IS DISTINCT FROM (OLD.kind, OLD.person_id, OLD.subject, OLD.category, OLD.fast_lane,
            OLD.filing, OLD.notice, OLD.policy, OLD.expected, OLD.expected_told) THEN
        RAISE EXCEPTION 'what was submitted stays' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;

-- What was answered changes while the case is the applicant's.
CREATE FUNCTION answers_open() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM FROM application AS a WHERE a.id = NEW.application_id
        AND a.state IN ('draft', 'supplement') FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'what was submitted stays' USING ERRCODE = 'check_violation', CONSTRAINT = 'application_answer_open';
    END IF;
    RETURN NEW;
END
$$;

-- Somebody else of the same desk takes the case over from its claimant.
CREATE FUNCTION hand_over_case(wanted bigint, number text) RETURNS boolean LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    target record;
BEGIN
    SELECT d.id AS duty, d.staff_id AS staff INTO target
        FROM application AS a JOIN duty AS d ON d.role = a.desk AND a.area BETWEEN d.area_from AND d.area_to
        JOIN staff AS s ON s.id = d.staff_id AND s.staff_no = number AND s.state = 'active'
        WHERE a.id = wanted AND duty_held(d.staff_id, d.id) IS NOT NULL
            AND NOT concerned_in(wanted, d.staff_id)
        ORDER BY d.id LIMIT 1;
    IF NOT FOUND OR target.staff = scope_staff() THEN
        RETURN false;
    END IF;
    UPDATE application_claim AS c SET staff_id = target.staff, duty_id = target.duty, at = now()
        WHERE c.application_id = wanted AND c.staff_id = scope_staff();
    RETURN FOUND;
END
$$;

-- Where a case stands, for whoever shows its code: nothing else of it.
CREATE FUNCTION case_by_code(indexes bytea[])
RETURNS TABLE (kind text, state text, since date, provisional boolean, due_on date)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN QUERY
        SELECT a.kind, a.state,
            (coalesce(last.at, a.begun_at) AT TIME ZONE 'Asia/Shanghai')::date,
            running.provisional, running.due_on
        FROM application AS a
        LEFT JOIN application_step AS last
            ON last.application_id = a.id AND last.seq = a.seq
        LEFT JOIN LATERAL (SELECT c.provisional, c.due_on FROM application_clock AS c
            WHERE c.application_id = a.id AND c.ended_on IS NULL AND c.stopped_on IS NULL
            ORDER BY c.due_on LIMIT 1) AS running ON true
        WHERE a.code_index = ANY (indexes) AND a.code_index <> '' AND a.state <> 'draft';
END
$$;

-- What the register knows of a household, for who applies for one of it.
CREATE FUNCTION household_known(whom bigint) RETURNS TABLE (people bigint, income bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN QUERY
        SELECT (SELECT count(*) FROM person AS h WHERE h.household_id = p.household_id
                AND h.died_on > (now() AT TIME ZONE 'Asia/Shanghai')::date),
            (SELECT i.disposable_income FROM household_income AS i
                WHERE i.household_id = p.household_id ORDER BY i.year DESC LIMIT 1)
        FROM person AS p WHERE p.id = whom AND p.household_id <> 0
            AND p.id = ANY (authority_over('apply'));
END
$$;

-- The number of whom somebody applies for, sealed: a letter shows a part of it.
CREATE FUNCTION applicant_number(whom bigint) RETURNS bytea LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN (SELECT n.number FROM person_number AS n
        WHERE n.person_id = whom AND n.current AND whom = ANY (authority_over('apply')));
END
$$;
