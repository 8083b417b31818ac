-- 进度 at once: a look at where an application stands, in one statement: whose session it is, the
-- request counted, the look written down, and what is told. Plans are kept by each connection.

-- Count something in the window of a key, unless that would pass the limit: what the window before
-- counted weighs as much of it as still lies within the last period. With the rights of who asks.
CREATE FUNCTION count_hit(which bytea, amount integer, most integer, seconds integer)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    moment float8 := extract(epoch FROM now());
    start float8 := floor(moment / seconds) * seconds;
    before float8 := (start + seconds - moment) / seconds * coalesce((
        SELECT w.hits FROM rate_window AS w
        WHERE w.key = which AND w.window_start = to_timestamp(start - seconds)), 0);
BEGIN
    IF before + amount > most THEN
        RETURN false;
    END IF;
    INSERT INTO rate_window AS w (key, window_start, hits)
        VALUES (which, to_timestamp(start), amount)
        ON CONFLICT (key, window_start) DO UPDATE SET hits = w.hits + amount
            WHERE w.hits + amount + before <= most;
    RETURN FOUND;
END
$$;

-- Nothing: no valid session. Without `case`: who asks does not see the application by the two
-- commonest rights, of residents by `see` and of deciders by area; of others the row policies are
-- asked, which say the same of these (a test compares them). All rights are looked up whether or
-- not there is such an application. A look that is refused afterwards is rolled back with its row.
CREATE FUNCTION progress_at_once(token text, wanted bigint)
RETURNS json LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    actor record;
    one application;
    label text;
    whom bigint;
    self boolean;
    seen boolean := false;
    own boolean := false;
    heard boolean := false;
    people bigint[] := '{}';
    told json;
BEGIN
    PERFORM set_config('shukun.session', token, true);
    SELECT * INTO actor FROM session_actor();
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    actor.level := coalesce(actor.level, 0);
    actor.deputising := coalesce(actor.deputising, false);
    label := coalesce('resident:' || actor.resident_id, 'staff:' || actor.staff_no);
    SELECT * INTO one FROM application AS a WHERE a.id = wanted;
    whom := person_now(one.person_id);
    IF actor.resident_id IS NOT NULL THEN
        self := coalesce(whom = actor.person_id, false);
        people := CASE WHEN self THEN ARRAY[whom] ELSE authority_over('see') END;
        seen := whom = ANY (people);
        own := self OR whom = ANY (authority_over('speak'));
        heard := self OR whom = ANY (authority_over('receive'));
    ELSIF actor.role IN ('township_reviewer', 'county_officer', 'city_officer') THEN
        seen := one.state <> 'draft' AND one.area BETWEEN actor.area_from AND actor.area_to;
    END IF;
    IF seen IS NOT TRUE THEN
        RETURN json_build_object('label', label, 'actor', row_to_json(actor));
    END IF;
    INSERT INTO audit_event (actor, role, action, subject_kind, subject_id, detail, purpose, area)
        VALUES (label, coalesce(actor.role, 'resident'), 'person.read', 'person',
            one.person_id::text, '{"fields": ["applications"]}',
            CASE WHEN actor.resident_id IS NULL THEN 'review' WHEN own THEN 'own'
                ELSE 'delegated' END, actor.area_from);
    SELECT json_build_object(
        'person_id', one.person_id, 'kind', one.kind, 'policy', one.policy, 'state', one.state,
        'desk', one.desk, 'own', own,
        'ui_mode', (SELECT r.ui_mode FROM resident AS r WHERE r.id = actor.resident_id),
        'data_key', CASE WHEN made.noted THEN (
            SELECT encode(p.data_key, 'hex') FROM person AS p WHERE p.id = one.person_id
                AND (p.id = ANY (people) OR actor.resident_id IS NULL
                    AND p.area BETWEEN actor.area_from AND actor.area_to)) END,
        'steps', coalesce(made.steps, '[]'),
        'clocks', coalesce((
            SELECT json_agg(json_build_array(c.clock, c.due_on, c.provisional,
                c.stopped_on IS NOT NULL) ORDER BY c.due_on, c.id)
            FROM application_clock AS c
            WHERE c.application_id = one.id AND c.ended_on IS NULL), '[]'),
        'messages', CASE WHEN heard THEN coalesce((
            SELECT json_agg(json_build_array(split_part(m.cause, ':', 3)::int, m.id))
            FROM message AS m WHERE m.person_id = ANY (ARRAY[one.person_id, whom])
                AND m.cause LIKE 'application:' || one.id || ':%'), '[]') ELSE '[]' END
    ) INTO told
    FROM (
        SELECT bool_or(s.note <> '') AS noted,
            json_agg(json_build_array(s.id, s.seq, s.deed, s.to_state, s.proposal, s.reason, s.role,
                (s.at AT TIME ZONE 'Asia/Shanghai')::date, encode(s.note, 'hex'))
                ORDER BY s.seq) AS steps
        FROM application_step AS s WHERE s.application_id = one.id
    ) AS made;
    RETURN json_build_object('label', label, 'actor', row_to_json(actor), 'case', told);
END
$$;
