-- What the procedures say of a case is written from them, whatever the site says. Before any process
-- told the database of procedures, it knows nothing better.
CREATE FUNCTION application_by_rule() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    rule procedure_rule;
BEGIN
    IF current_user <> 'shukun_app' THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'UPDATE' AND (NEW.policy, NEW.kind) IS DISTINCT FROM (OLD.policy, OLD.kind) THEN
        RAISE EXCEPTION 'a case stays under its procedure' USING ERRCODE = 'check_violation', CONSTRAINT = 'application_by_rule';
    END IF;
    SELECT * INTO rule FROM procedure_rule AS r WHERE r.policy = NEW.policy AND r.kind = NEW.kind;
    IF NOT FOUND THEN
        IF EXISTS (SELECT FROM procedure_rule) THEN
            RAISE EXCEPTION 'no such procedure' USING ERRCODE = 'check_violation', CONSTRAINT = 'application_by_rule';
        END IF;
        RETURN NEW;
    END IF;
    NEW.filing := rule.filing;
    NEW.notice := rule.notice;
    NEW.fast_lane := NEW.fast_lane AND rule.fast_lane;
    IF TG_OP = 'INSERT' THEN
        NEW.keep_years := rule.keep_years;
    END IF;
    RETURN NEW;
END
$$;

-- A session of the site starts the periods of its step, as long as the procedure has them, from this
-- day; one that stood still gets the days back, and no other period becomes longer or shorter.
CREATE FUNCTION clock_by_rule() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    today CONSTANT date := (now() AT TIME ZONE 'Asia/Shanghai')::date;
    resumed boolean;
BEGIN
    IF current_user <> 'shukun_app' OR NOT EXISTS (SELECT FROM procedure_rule) THEN
        RETURN NEW;
    END IF;
    -- A working day is never more than two days and the longest holidays.
    IF (TG_OP = 'INSERT' OR (NEW.working_days, NEW.due_on) IS DISTINCT FROM (OLD.working_days, OLD.due_on))
        AND NEW.due_on NOT BETWEEN NEW.started_on + NEW.working_days
        AND NEW.started_on + 2 * NEW.working_days + 30 THEN
        RAISE EXCEPTION 'no such period' USING ERRCODE = 'check_violation', CONSTRAINT = 'clock_by_rule';
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NEW.started_on NOT BETWEEN today - 1 AND today + 1 OR NEW.stopped_on IS NOT NULL
            OR NOT EXISTS (SELECT FROM procedure_period AS p JOIN application AS a
                ON a.policy = p.policy AND a.kind = p.kind
                WHERE a.id = NEW.application_id AND p.clock = NEW.clock AND p.days = NEW.working_days)
            OR NOT EXISTS (SELECT FROM application AS a JOIN application_step AS s
                ON s.application_id = a.id AND s.seq = a.seq
                JOIN procedure_turn AS t ON t.deed = s.deed
                WHERE a.id = NEW.application_id AND t.clock = NEW.clock) THEN
            RAISE EXCEPTION 'no such period' USING ERRCODE = 'check_violation', CONSTRAINT = 'clock_by_rule';
        END IF;
        RETURN NEW;
    END IF;
    resumed := OLD.stopped_on IS NOT NULL AND NEW.stopped_on IS NULL;
    IF (NEW.working_days, NEW.due_on) IS DISTINCT FROM (OLD.working_days, OLD.due_on) AND NOT (
            resumed AND NEW.working_days - OLD.working_days BETWEEN 0 AND today + 1 - OLD.stopped_on)
        OR NEW.stopped_on IS DISTINCT FROM OLD.stopped_on AND NOT resumed
            AND NOT (OLD.stopped_on IS NULL AND NEW.stopped_on BETWEEN today - 1 AND today + 1)
        OR NEW.ended_on IS DISTINCT FROM OLD.ended_on AND OLD.ended_on IS NOT NULL THEN
        RAISE EXCEPTION 'no such period' USING ERRCODE = 'check_violation', CONSTRAINT = 'clock_by_rule';
    END IF;
    RETURN NEW;
END
$$;
