-- The deeds of accounts: the only ways in which the website writes what its own sight depends on.
-- Each asks the database whose session it is, or demands what only its owner can show: a digest
-- that comes of the password, an index that is made with the key, a code that was told.

-- What is not allowed is refused without a word about why: the program asks what may be asked first.
CREATE FUNCTION demand(allowed boolean) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF allowed IS NOT TRUE THEN
        RAISE EXCEPTION 'not for this session' USING ERRCODE = 'insufficient_privilege';
    END IF;
END
$$;

CREATE FUNCTION session_label() RETURNS text LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN (SELECT coalesce('resident:' || a.resident_id, 'staff:' || a.staff_no)
        FROM session_actor() AS a);
END
$$;

-- All is asked before anybody is looked for: whoever does not exist takes as long as whoever is not
-- to be seen.
CREATE FUNCTION sees_person(whom bigint) RETURNS boolean LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    low bigint := scope_low();
    high bigint := scope_high();
    near bigint := home_low();
    far bigint := home_high();
    people bigint[] := scope_people();
BEGIN
    RETURN EXISTS (SELECT FROM person AS p WHERE p.id = whom
        AND (p.area BETWEEN low AND high OR p.lives_in BETWEEN near AND far
            OR p.id = ANY (people)));
END
$$;

-- Staff who see cards and papers; not those who visit.
CREATE FUNCTION at_counter() RETURNS boolean LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN coalesce(scope_role() IN ('township_reviewer', 'county_officer'), false);
END
$$;

-- Sessions ------------------------------------------------------------------------------------

-- Called under the lock of the account's row, so that sessions opened together see each other; each
-- is seen as of the lock, not of its transaction's beginning, and is never the oldest itself.
CREATE FUNCTION end_oldest_sessions(resident bigint, employee bigint) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE account_session SET ended_at = now(), ended_why = 'too_many' WHERE id IN (
        SELECT s.id FROM account_session AS s
        WHERE (s.resident_id = resident OR s.staff_id = employee) AND s.ended_at IS NULL
        ORDER BY s.last_seen_at DESC, s.id DESC OFFSET 5);
END
$$;

-- The index of an openid is made with the key: whoever shows it asked WeChat.
CREATE FUNCTION open_resident_session(indexes bytea[], digest bytea, address text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    account bigint := resident_of_openid(indexes);
BEGIN
    PERFORM FROM resident AS r WHERE r.id = account AND r.closed_at IS NULL FOR UPDATE;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    INSERT INTO account_session (
            token_sha256, resident_id, last_seen_at, expires_at, address_masked
        ) VALUES (digest, account, clock_timestamp(), now() + interval '30 days', address);
    PERFORM end_oldest_sessions(account, NULL);
    RETURN account;
END
$$;

-- Five wrong attempts lock for a quarter of an hour. Those from networks from which nobody signed in
-- with the account yet are counted together, those from each other network apart: who merely knows a
-- number cannot lock its holder out from elsewhere.
CREATE FUNCTION may_try(employee bigint, came_from text) RETURNS boolean LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    locked timestamptz;
BEGIN
    SELECT n.locked_until INTO locked FROM staff_network AS n
        WHERE n.staff_id = employee AND n.network = came_from;
    IF NOT FOUND THEN
        SELECT a.locked_until INTO locked FROM staff AS a WHERE a.id = employee;
    END IF;
    RETURN locked IS NULL OR locked <= now();
END
$$;

CREATE FUNCTION count_try(employee bigint, came_from text) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE staff_network SET
            failed = CASE WHEN locked_until IS NULL THEN failed + 1 ELSE 1 END,
            locked_until = CASE WHEN locked_until IS NULL AND failed + 1 >= 5
                THEN now() + interval '15 minutes' END
        WHERE staff_id = employee AND network = came_from;
    IF NOT FOUND THEN
        UPDATE staff SET
                failed = CASE WHEN locked_until IS NULL THEN failed + 1 ELSE 1 END,
                locked_until = CASE WHEN locked_until IS NULL AND failed + 1 >= 5
                    THEN now() + interval '15 minutes' END
            WHERE id = employee;
    END IF;
END
$$;

-- The attempt was right: those from where it came are forgotten.
CREATE FUNCTION forget_tries(employee bigint, came_from text) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE staff_network SET failed = 0, locked_until = NULL
        WHERE staff_id = employee AND network = came_from;
    IF NOT FOUND THEN
        UPDATE staff SET failed = 0, locked_until = NULL WHERE id = employee;
    END IF;
END
$$;

-- Whether somebody signed in with this number from there: of what is refused for the many behind one
-- address, this is let through.
CREATE FUNCTION signs_in_from(number text, came_from text) RETURNS boolean LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN EXISTS (SELECT FROM staff AS a JOIN staff_network AS n ON n.staff_id = a.id
        WHERE a.staff_no = number AND n.network = came_from);
END
$$;

-- The last step that was used comes with it: the program knows the secret, and the database counts.
CREATE FUNCTION staff_asked(number text, came_from text)
RETURNS TABLE (id bigint, staff_no text, name text, password_salt text, totp_secret bytea,
    totp_last_step bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN QUERY
        SELECT a.id, a.staff_no, a.name, a.password_salt, a.totp_secret, a.totp_last_step
        FROM staff AS a
        WHERE a.staff_no = number AND a.state = 'active' AND may_try(a.id, came_from);
END
$$;

CREATE FUNCTION duty_held(holder bigint, wanted bigint) RETURNS bigint LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    today date := (now() AT TIME ZONE 'Asia/Shanghai')::date;
BEGIN
    RETURN (
        SELECT d.id FROM duty AS d LEFT JOIN duty AS o ON o.id = d.deputy_for
        WHERE d.staff_id = holder AND d.revoked_at IS NULL AND today BETWEEN d.from_on AND d.to_on
            AND (d.deputy_for IS NULL
                OR o.revoked_at IS NULL AND today BETWEEN o.from_on AND o.to_on)
            AND (wanted IS NULL OR d.id = wanted)
        ORDER BY d.deputy_for IS NOT NULL, d.id LIMIT 1);
END
$$;

-- `shown`: what comes of the password, whose digest is kept; `step`: of the code, NULL for a wrong
-- one. Every attempt is counted and looked at under the lock of the row, one after another. `before`:
-- how many were refused since the last session was opened. Where no session is opened, nothing else
-- changes: no password, no step. `locked`, and `used` of a code, are said
-- whatever the password is.
CREATE FUNCTION open_staff_session(
    number text, shown bytea, step bigint, new_salt text, new_sha256 bytea, wanted bigint,
    digest bytea, address text
) RETURNS TABLE (outcome text, before integer) LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    own record;
    duty bigint;
BEGIN
    SELECT * INTO own FROM staff AS a
        WHERE a.staff_no = number AND a.state = 'active' FOR UPDATE;
    IF NOT FOUND THEN
        RETURN QUERY SELECT 'refused', 0;
        RETURN;
    END IF;
    UPDATE staff SET refused = refused + 1 WHERE id = own.id;
    IF NOT may_try(own.id, address) THEN
        RETURN QUERY SELECT 'locked', 0;
        RETURN;
    END IF;
    PERFORM count_try(own.id, address);
    IF step <= own.totp_last_step THEN
        RETURN QUERY SELECT 'used', 0;
        RETURN;
    END IF;
    IF (own.password_sha256 = sha256(shown)) IS NOT TRUE
        OR step IS NULL THEN
        RETURN QUERY SELECT 'refused', 0;
        RETURN;
    END IF;
    PERFORM forget_tries(own.id, address);
    UPDATE staff SET refused = own.refused WHERE id = own.id;
    IF own.must_change AND new_salt IS NULL THEN
        RETURN QUERY SELECT 'must_change', 0;
        RETURN;
    END IF;
    duty := duty_held(own.id, wanted);
    IF duty IS NULL THEN
        RETURN QUERY SELECT 'no_duty', 0;
        RETURN;
    END IF;
    UPDATE staff SET totp_last_step = step, must_change = false,
            password_salt = coalesce(new_salt, password_salt),
            password_sha256 = coalesce(new_sha256, password_sha256)
        WHERE id = own.id;
    IF new_salt IS NOT NULL THEN
        UPDATE account_session SET ended_at = now(), ended_why = 'password_changed'
            WHERE staff_id = own.id AND ended_at IS NULL;
    END IF;
    INSERT INTO account_session (
            token_sha256, staff_id, duty_id, last_seen_at, expires_at, address_masked
        ) VALUES (
            digest, own.id, duty, clock_timestamp(), now() + interval '12 hours', address
        );
    PERFORM end_oldest_sessions(NULL, own.id);
    UPDATE staff SET refused = 0 WHERE id = own.id;
    IF address <> '' THEN
        INSERT INTO staff_network (staff_id, network) VALUES (own.id, address)
            ON CONFLICT (staff_id, network) DO UPDATE SET seen_at = now();
    END IF;
    RETURN QUERY SELECT 'open', own.refused;
END
$$;

-- The same person in another duty: until the session so far would have ended. Who acts is asked again
-- under the lock: what waited for it may have ended the session.
CREATE FUNCTION switch_duty(wanted bigint, digest bytea) RETURNS boolean LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    actor record;
    duty bigint;
BEGIN
    PERFORM FROM staff AS a WHERE a.id = scope_staff() FOR UPDATE;
    SELECT * INTO actor FROM session_actor();
    duty := duty_held(actor.staff_id, wanted);
    IF duty IS NULL OR wanted IS NULL THEN
        RETURN false;
    END IF;
    INSERT INTO account_session
            (token_sha256, staff_id, duty_id, expires_at, last_seen_at, address_masked)
        SELECT digest, s.staff_id, duty, s.expires_at, clock_timestamp(), s.address_masked
        FROM account_session AS s WHERE s.id = actor.session_id;
    UPDATE account_session SET ended_at = now(), ended_why = 'switched'
        WHERE id = actor.session_id AND ended_at IS NULL;
    PERFORM end_oldest_sessions(NULL, actor.staff_id);
    RETURN true;
END
$$;

CREATE FUNCTION note_seen() RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE account_session SET last_seen_at = now()
        WHERE id = (SELECT a.session_id FROM session_actor() AS a WHERE a.stale);
END
$$;

CREATE FUNCTION end_own_session() RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE account_session SET ended_at = now(), ended_why = 'left'
        WHERE id = (SELECT a.session_id FROM session_actor() AS a) AND ended_at IS NULL;
END
$$;

-- Accounts of residents -----------------------------------------------------------------------

-- An account begins with nothing, before there is a session.
CREATE FUNCTION add_resident(account bigint, own_index bytea, sealed bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO resident (id) VALUES (account);
    INSERT INTO wechat_user (resident_id, openid_index, openid)
        VALUES (account, own_index, sealed);
END
$$;

-- A level is never written: it follows from what is known.
CREATE FUNCTION level_resident() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    NEW.level := CASE WHEN NEW.person_id IS NOT NULL THEN 2 WHEN NEW.phone <> '' THEN 1 ELSE 0 END;
    RETURN NEW;
END
$$;

-- Both empty: forgotten.
CREATE FUNCTION keep_phone(sealed bytea, own_index bytea) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE resident SET phone = sealed, phone_index = own_index,
            phone_at = CASE WHEN sealed <> '' THEN now() END
        WHERE id = scope_resident();
END
$$;

CREATE FUNCTION choose_ui_mode(mode text) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE resident SET ui_mode = mode WHERE id = scope_resident();
END
$$;

-- One person, one account: false where there is another, also from before being merged.
CREATE FUNCTION bind_person(account bigint, whom bigint) RETURNS boolean LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF has_account(whom) THEN
        RETURN false;
    END IF;
    UPDATE resident SET person_id = whom WHERE id = account;
    RETURN true;
EXCEPTION WHEN unique_violation THEN
    RETURN false;
END
$$;

-- Of an account with a phone: who claims a name can be called. The index of a number is made with
-- the key: whoever shows it typed the number. Whether the name was right is the program's word, since
-- names are sealed.
CREATE FUNCTION prove_name(indexes bytea[], name_right boolean)
RETURNS TABLE (outcome text, whom bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    me bigint := scope_resident();
    found_one bigint;
BEGIN
    PERFORM demand(me IS NOT NULL);
    PERFORM FROM resident AS r WHERE r.id = me AND r.person_id IS NULL FOR UPDATE;
    IF NOT FOUND THEN
        RETURN QUERY SELECT 'already_named', NULL::bigint;
        RETURN;
    END IF;
    IF EXISTS (SELECT FROM resident AS r WHERE r.id = me AND r.phone = '') THEN
        RETURN QUERY SELECT 'no_phone', NULL::bigint;
        RETURN;
    END IF;
    IF identity_tries() >= 5 THEN
        RETURN QUERY SELECT 'too_many', NULL::bigint;
        RETURN;
    END IF;
    IF name_right THEN
        found_one := (SELECT p.person_id FROM person_by_number(indexes) AS p);
    END IF;
    INSERT INTO identity_check (resident_id, person_id, method, outcome, by)
        VALUES (me, found_one, 'register',
            CASE WHEN found_one IS NULL THEN 'not_matched' ELSE 'matched' END, session_label());
    RETURN QUERY SELECT CASE
        WHEN found_one IS NULL THEN 'not_matched'
        WHEN bind_person(me, found_one) THEN 'named' ELSE 'taken' END, found_one;
END
$$;

-- For ten minutes: who is told the digits knows whose account it is.
CREATE FUNCTION show_code(digest bytea) RETURNS timestamptz LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    until timestamptz := now() + interval '10 minutes';
BEGIN
    PERFORM demand(scope_resident() IS NOT NULL);
    INSERT INTO account_code (resident_id, code_sha256, expires_at)
        VALUES (scope_resident(), digest, until)
        ON CONFLICT (resident_id) DO UPDATE SET code_sha256 = digest, expires_at = until;
    RETURN until;
END
$$;

CREATE FUNCTION use_up_code() RETURNS boolean LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    DELETE FROM account_code WHERE resident_id = resident_of_code();
    RETURN FOUND;
END
$$;

-- At a counter, with the code that was told: the account becomes known as one whom the staff see.
CREATE FUNCTION confirm_name(whom bigint, replaces boolean)
RETURNS TABLE (outcome text, closed bigint[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    told bigint := resident_of_code();
    former bigint;
    gone bigint[] := '{}';
BEGIN
    PERFORM demand(at_counter() AND sees_person(whom) AND told IS NOT NULL);
    PERFORM FROM resident AS r WHERE r.id = told AND r.person_id IS NULL FOR UPDATE;
    IF NOT FOUND THEN
        RETURN QUERY SELECT 'already_named', gone;
        RETURN;
    END IF;
    IF replaces THEN
        FOR former IN SELECT r.id FROM resident AS r
            WHERE r.person_id = ANY (same_people(ARRAY[whom])) AND r.closed_at IS NULL
        LOOP
            PERFORM replace_account(former);
            gone := gone || former;
        END LOOP;
    END IF;
    IF NOT bind_person(told, whom) THEN
        RETURN QUERY SELECT 'taken', gone;
        RETURN;
    END IF;
    INSERT INTO identity_check (resident_id, person_id, method, outcome, by)
        VALUES (told, whom, 'counter', 'matched', session_label());
    DELETE FROM account_code WHERE resident_id = told;
    RETURN QUERY SELECT 'named', gone;
END
$$;

-- What hangs on an account ends with it (`close_resident`). False: it was closed before.
CREATE FUNCTION close_account(account bigint) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE wechat_user SET openid = '' WHERE resident_id = account;
    UPDATE resident SET closed_at = now(), phone = '', phone_index = '', phone_at = NULL
        WHERE id = account AND closed_at IS NULL;
    RETURN FOUND;
END
$$;

-- Closed by staff: its owner is to hear of it there, so openid and phone are forgotten hours later
-- (`forget_closed`).
CREATE FUNCTION replace_account(account bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE resident SET closed_at = now() WHERE id = account AND closed_at IS NULL;
END
$$;

CREATE FUNCTION close_own_account() RETURNS boolean LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN close_account(scope_resident());
END
$$;

-- What people agree to, and who acts for them ---------------------------------------------------

-- A resident for whom the own word is good; staff for whom they see, as the person said it there.
CREATE FUNCTION speaks_here(whom bigint, way text) RETURNS boolean LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF scope_resident() IS NOT NULL THEN
        RETURN way = 'mini_program' AND whom = ANY (authority_over('speak'));
    END IF;
    RETURN scope_staff() IS NOT NULL AND way IN ('bedside', 'counter') AND sees_person(whom);
END
$$;

-- One after another: what is tapped twice is asked about after the first is there.
CREATE FUNCTION one_at_a_time() RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM FROM resident AS r WHERE r.id = scope_resident() FOR NO KEY UPDATE;
    PERFORM FROM staff AS a WHERE a.id = scope_staff() FOR NO KEY UPDATE;
END
$$;

-- Given again, what stands is the same one: its id, and nothing is added. But one that carries a
-- delegation is given with each.
CREATE FUNCTION give_consent(
    own bigint, whom bigint, what text, edition integer, digest bytea, way text, sealed bytea
) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    giver bigint := coalesce(scope_resident(), resident_of_code());
    standing bigint;
BEGIN
    -- Before a guardian acts for a child, there is the consent.
    PERFORM demand(speaks_here(whom, way) OR way = 'mini_program' AND what = 'children_data'
        AND EXISTS (SELECT FROM wards() AS w WHERE w.person_id = whom));
    PERFORM one_at_a_time();
    standing := (SELECT min(c.id) FROM consent AS c
        WHERE c.person_id = ANY (same_people(ARRAY[whom])) AND c.purpose = what
            AND what <> 'delegation' AND c.resident_id = giver AND c.version = edition
            AND consent_holds(c));
    IF standing IS NOT NULL THEN
        RETURN standing;
    END IF;
    INSERT INTO consent (id, resident_id, person_id, purpose, text_id, version, text_sha256,
            channel, proof, by)
        VALUES (own, giver, whom, what, what, edition, digest, way, sealed, session_label());
    RETURN own;
END
$$;

-- Nothing for one that was withdrawn. `ended`: the delegations that rested on it.
CREATE FUNCTION withdraw(which bigint, way text, whose_word text)
RETURNS TABLE (whom bigint, what text, ended bigint[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    resting bigint[] := ARRAY(SELECT d.id FROM delegation AS d
        WHERE d.consent_id = which AND d.ended_at IS NULL ORDER BY d.id);
BEGIN
    INSERT INTO consent_withdrawal (consent_id, channel, by)
        SELECT c.id, way, whose_word FROM consent AS c WHERE c.id = which
        ON CONFLICT DO NOTHING;
    IF FOUND THEN
        RETURN QUERY SELECT c.person_id, c.purpose, resting FROM consent AS c WHERE c.id = which;
    END IF;
END
$$;

-- What stands of the same matter: of the same person and purpose; of delegations, to the same
-- receiver; of a child's data, by the same guardian. Nothing for one that was withdrawn.
CREATE FUNCTION given_alike(which bigint) RETURNS bigint[] LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    given record;
BEGIN
    SELECT * INTO given FROM consent AS c WHERE c.id = which
        AND NOT EXISTS (SELECT FROM consent_withdrawal AS w WHERE w.consent_id = c.id);
    RETURN ARRAY(
        SELECT c.id FROM consent AS c
        WHERE c.person_id = ANY (same_people(ARRAY[given.person_id])) AND c.purpose = given.purpose
            AND NOT EXISTS (SELECT FROM consent_withdrawal AS w WHERE w.consent_id = c.id)
            AND CASE given.purpose
                WHEN 'delegation' THEN c.id = which OR EXISTS (
                    SELECT FROM delegation AS d
                    JOIN delegation AS other
                        ON other.staff_id = d.staff_id OR other.resident_id = d.resident_id
                    WHERE d.consent_id = which AND d.ended_at IS NULL
                        AND other.consent_id = c.id AND other.ended_at IS NULL)
                WHEN 'children_data' THEN c.resident_id IS NOT DISTINCT FROM given.resident_id
                ELSE true END
        ORDER BY c.id
    );
END
$$;

-- By whoever may speak for the person: with everything that stands of the same matter, so that
-- nothing goes on that the person takes for ended. By the account that gave it, and `alone`: that one.
CREATE FUNCTION withdraw_consent(which bigint, way text, alone boolean)
RETURNS TABLE (whom bigint, what text, ended bigint[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    given record;
    alike bigint;
BEGIN
    SELECT * INTO given FROM consent AS c WHERE c.id = which;
    IF speaks_here(person_now(given.person_id), way) THEN
        FOREACH alike IN ARRAY CASE WHEN alone THEN ARRAY[which] ELSE given_alike(which) END LOOP
            RETURN QUERY SELECT * FROM withdraw(alike, way, session_label());
        END LOOP;
    ELSIF way = 'mini_program' AND given.resident_id = scope_resident() THEN
        RETURN QUERY SELECT * FROM withdraw(which, way, session_label());
    END IF;
END
$$;

-- Whoever withdraws it: what rests on a consent ends with it.
CREATE FUNCTION consent_withdrawn() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    given record;
BEGIN
    SELECT * INTO given FROM consent AS c WHERE c.id = NEW.consent_id;
    UPDATE delegation SET ended_at = now(), ended_by = NEW."by"
        WHERE consent_id = given.id AND ended_at IS NULL;
    UPDATE family_authority SET revoked_at = now(), revoked_by = NEW."by"
        WHERE given.purpose = 'children_data' AND resident_id = given.resident_id
            AND person_id = ANY (same_people(ARRAY[given.person_id])) AND revoked_at IS NULL;
    RETURN NULL;
END
$$;

-- By whom people are or were acted for, the people themselves included, with what opens the names: to
-- those for whose word the session's is good, and to staff who see them.
CREATE FUNCTION acting_names(people bigint[])
RETURNS TABLE (account bigint, closed boolean, whom bigint, name bytea, data_key bytea)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    own bigint[] := authority_over('speak');
    asked bigint[] := same_people(ARRAY(
        SELECT p.id FROM unnest(people) AS p (id)
        WHERE CASE WHEN scope_resident() IS NULL THEN sees_person(p.id) ELSE p.id = ANY (own) END));
BEGIN
    RETURN QUERY
        SELECT r.id, r.closed_at IS NOT NULL, p.id, p.name, p.data_key FROM resident AS r
        JOIN person AS p ON p.id = person_now(r.person_id)
        WHERE r.person_id = ANY (asked) OR r.id IN (
            SELECT d.resident_id FROM delegation AS d WHERE d.person_id = ANY (asked)
            UNION SELECT f.resident_id FROM family_authority AS f WHERE f.person_id = ANY (asked));
END
$$;

CREATE FUNCTION visits(employee bigint) RETURNS boolean LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN EXISTS (SELECT FROM duty AS d JOIN staff AS a ON a.id = d.staff_id
        WHERE d.staff_id = employee AND a.state = 'active' AND duty_held(employee, d.id) = d.id
            AND d.role IN ('family_doctor', 'village_coordinator', 'cadre'));
END
$$;

-- To whom a resident may delegate, by the number that the member of staff told.
CREATE FUNCTION visiting_staff(number text) RETURNS bigint LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN (SELECT a.id FROM staff AS a
        WHERE a.staff_no = number AND scope_resident() IS NOT NULL AND visits(a.id));
END
$$;

-- The one that stands with these very terms, for the same receiver; NULL: none.
CREATE FUNCTION standing_delegation(
    whom bigint, to_staff bigint, matters text[], first_on date, last_on date, edition integer
) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    way text := CASE WHEN scope_resident() IS NULL THEN 'bedside' ELSE 'mini_program' END;
    account bigint := CASE WHEN to_staff IS NULL THEN resident_of_code() END;
BEGIN
    PERFORM demand(speaks_here(whom, way));
    PERFORM one_at_a_time();
    RETURN (
        SELECT min(d.id) FROM delegation AS d JOIN consent AS c ON c.id = d.consent_id
        WHERE d.person_id = ANY (same_people(ARRAY[whom]))
            AND (d.staff_id = to_staff OR d.resident_id = account)
            AND d.scope = matters AND d.from_on = first_on AND d.to_on = last_on
            AND d.ended_at IS NULL AND c.version = edition AND consent_holds(c));
END
$$;

-- With the consent given for it in the same transaction: by a resident to staff who visit, or to
-- whoever told the code; at the bedside to oneself.
CREATE FUNCTION begin_delegation(
    own bigint, agreed bigint, whom bigint, to_staff bigint, matters text[], first_on date,
    last_on date, sealed bytea
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    me bigint := scope_resident();
    account bigint := CASE WHEN to_staff IS NULL THEN resident_of_code() END;
    way text := CASE WHEN me IS NULL THEN 'bedside' ELSE 'mini_program' END;
BEGIN
    PERFORM demand(last_on <= first_on + 366 AND speaks_here(whom, way));
    PERFORM demand(CASE WHEN me IS NULL
        THEN to_staff = scope_staff() AND visits(to_staff)
        ELSE coalesce(account <> me, visits(to_staff)) END);
    PERFORM FROM consent AS c
        WHERE c.id = agreed AND c.person_id = whom AND c.purpose = 'delegation'
            AND c.channel = way AND c.given_at = now() AND c.by = session_label()
            AND NOT EXISTS (SELECT FROM delegation AS d WHERE d.consent_id = c.id);
    PERFORM demand(FOUND);
    INSERT INTO delegation (id, person_id, staff_id, resident_id, scope, from_on, to_on, consent_id,
            channel, proof, recorded_by)
        VALUES (own, whom, to_staff, account, matters, first_on, last_on, agreed, way, sealed,
            session_label());
END
$$;

-- By whoever received it, a relative or staff, with every other one of the same person; the person
-- withdraws the consent instead. Returns those that ended.
CREATE FUNCTION give_back(which bigint) RETURNS bigint[] LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    own record;
    gone bigint[];
BEGIN
    SELECT * INTO own FROM delegation AS d
        WHERE d.id = which AND d.ended_at IS NULL
            AND (d.resident_id = scope_resident() OR d.staff_id = scope_staff());
    IF NOT FOUND THEN
        RETURN '{}';
    END IF;
    WITH ending AS (
        UPDATE delegation AS d SET ended_at = now(), ended_by = session_label()
            WHERE (d.resident_id, d.staff_id) IS NOT DISTINCT FROM (own.resident_id, own.staff_id)
                AND d.ended_at IS NULL
                AND d.person_id = ANY (same_people(ARRAY[own.person_id]))
            RETURNING d.id
    )
    SELECT array_agg(e.id ORDER BY e.id) INTO gone FROM ending AS e;
    RETURN coalesce(gone, '{}');
END
$$;

-- A guardian of record over a minor; any other, with the code that was told, at a counter.
CREATE FUNCTION begin_authority(
    own bigint, whom bigint, kin text, ground text, sealed bytea, first_on date, last_on date
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    account bigint := coalesce(scope_resident(), resident_of_code());
    born date := (SELECT w.born_on FROM wards() AS w WHERE w.person_id = whom);
BEGIN
    IF scope_resident() IS NOT NULL THEN
        PERFORM demand(ground = 'guardian' AND last_on <= (born + interval '18 years')::date);
    ELSE
        PERFORM demand(at_counter() AND sees_person(whom) AND account IS NOT NULL);
    END IF;
    -- One that holds no more gives way.
    UPDATE family_authority SET revoked_at = now(), revoked_by = session_label()
        WHERE resident_id = account AND person_id = ANY (same_people(ARRAY[whom]))
            AND revoked_at IS NULL;
    INSERT INTO family_authority (id, resident_id, person_id, relationship, basis, proof_note,
            recorded_by, from_on, to_on)
        VALUES (own, account, whom, kin, ground, sealed, session_label(), first_on,
            coalesce(last_on, 'infinity'));
END
$$;

-- By whoever acts, and by the person, but where a guardian acts by law.
CREATE FUNCTION end_authority(which bigint) RETURNS bigint LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    whom bigint;
BEGIN
    UPDATE family_authority AS f SET revoked_at = now(), revoked_by = session_label()
        WHERE f.id = which AND f.revoked_at IS NULL
            AND (f.resident_id = scope_resident() OR f.basis <> 'guardian'
                AND person_now(f.person_id) = (SELECT a.person_id FROM session_actor() AS a))
        RETURNING f.person_id INTO whom;
    RETURN whom;
END
$$;
