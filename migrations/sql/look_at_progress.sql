-- 进度 by one statement, a transaction of its own: whose session it is, the request counted, the look
-- written down, and what is told. Plans are kept by each connection.

-- Nothing: no valid session. `counted`, false: too many; nothing was looked at. Without `case`: the
-- view is not for who asks (`at_level`: of residents, or more, `roles`: of staff, none: all of them;
-- NULL: not for these), or they do not see the application by the two commonest rights, of residents
-- by `see` and of deciders by area; of others the row policies are asked, which say the same of
-- these (a test compares them). All rights are looked up whether or not there is such an application.
CREATE FUNCTION look_at_progress(token text, wanted bigint, counted_as text, most integer,
    seconds integer, at_level smallint, roles text[])
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
    IF NOT count_hit(
        sha256(convert_to(replace(counted_as, '{}', label), 'UTF8')), 1, most, seconds) THEN
        RETURN json_build_object('actor', row_to_json(actor), 'counted', false);
    END IF;
    IF actor.stale THEN
        PERFORM note_seen();
    END IF;
    SELECT * INTO one FROM application AS a WHERE a.id = wanted;
    whom := person_now(one.person_id);
    IF actor.resident_id IS NOT NULL THEN
        self := coalesce(whom = actor.person_id, false);
        people := CASE WHEN self THEN ARRAY[whom] ELSE authority_over('see') END;
        seen := actor.level >= at_level AND whom = ANY (people);
        own := self OR whom = ANY (authority_over('speak'));
        heard := self OR whom = ANY (authority_over('receive'));
    ELSIF actor.role IN ('township_reviewer', 'county_officer', 'city_officer') THEN
        seen := (roles = '{}' OR actor.role = ANY (roles)) AND one.state <> 'draft'
            AND one.area BETWEEN actor.area_from AND actor.area_to;
    END IF;
    IF seen IS NOT TRUE THEN
        RETURN json_build_object('actor', row_to_json(actor), 'counted', true);
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
    RETURN json_build_object('actor', row_to_json(actor), 'counted', true, 'case', told);
END
$$;
