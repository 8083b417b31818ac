"""账号: residents, staff and their duties, sessions; what a session may see, and may write."""

import re
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"

VISITORS = ("family_doctor", "village_coordinator", "cadre")
HOMES = VISITORS[:2]
"""A cadre sees nobody for living somewhere."""
DECIDERS = ("township_reviewer", "county_officer", "city_officer")
ROLES = (*VISITORS, *DECIDERS, "auditor", "system_admin")
APART = (
    "CASE WHEN role IN ('township_reviewer', 'county_officer', 'city_officer') THEN 1"
    " WHEN role = 'auditor' THEN 2 ELSE 3 END"
)
APPEND_ONLY = ("identity_check", "consent", "consent_withdrawal", "handover")
DEEDS = Path(__file__).parents[1] / "sql" / "account_deeds.sql"
ASKED_BY_DEEDS = (
    "has_account(bigint)", "resident_of_openid(bytea[])", "identity_tries()",
    "consent_holds(consent)", "delegation_holds(delegation)", "authority_holds(family_authority)",
    "list_manned(text, bigint)",
)  # fmt: skip
"""Who could ask these alone would learn who has an account; and by rows made up, who is whose
guardian, and how old: the site is told of stored rows that the session sees (`_stands`)."""
DEEDS_OF_THE_SITE = (
    "open_resident_session", "staff_asked", "signs_in_from", "open_staff_session", "switch_duty",
    "note_seen", "end_own_session", "add_resident", "keep_phone", "choose_ui_mode", "prove_name",
    "show_code", "use_up_code", "confirm_name", "close_own_account", "give_consent",
    "withdraw_consent", "sees_person", "visiting_staff", "standing_delegation", "begin_delegation",
    "give_back", "begin_authority", "end_authority", "acting_names",
)  # fmt: skip
"""The others of the script are for these alone."""
ONCE = {
    "resident": "closed_at",
    "family_authority": "revoked_at",
    "delegation": "ended_at",
    "duty": "revoked_at",
    "account_session": "ended_at",
}
"""What was ended stays ended."""
MOST_TRIES = 5
TRIES_HOURS = 6

# Each runs as the role that sees every row, and tells the session nothing but its own.
HEAD = "STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$"
TODAY = "(now() AT TIME ZONE 'Asia/Shanghai')::date"
SESSION_ACTOR = f"""
    CREATE FUNCTION session_actor() RETURNS TABLE (
        session_id bigint, stale boolean, resident_id bigint, person_id bigint,
        level smallint, staff_id bigint, staff_no text, name text, duty_id bigint, role text,
        area_from bigint, area_to bigint, holder_no text, deputising boolean, died boolean
    ) LANGUAGE plpgsql {HEAD}
    DECLARE
        token text := current_setting('shukun.session', true);
    BEGIN
        IF token IS NULL OR token = '' THEN
            RETURN;
        END IF;
        RETURN QUERY
            SELECT s.id, s.last_seen_at < now() - interval '1 minute', r.id,
                CASE WHEN p.died_on > {TODAY} THEN p.id END,
                CASE WHEN p.died_on <= {TODAY} THEN (r.phone <> '')::int::smallint
                    ELSE r.level END,
                a.id, a.staff_no, a.name, d.id, d.role, d.area_from, d.area_to,
                coalesce(h.staff_no, a.staff_no), d.deputy_for IS NOT NULL,
                coalesce(p.died_on <= {TODAY}, false)
            FROM account_session AS s
            LEFT JOIN resident AS r ON r.id = s.resident_id
            LEFT JOIN person AS p ON p.id = person_now(r.person_id)
            LEFT JOIN staff AS a ON a.id = s.staff_id
            LEFT JOIN duty AS d ON d.id = s.duty_id
            LEFT JOIN duty AS o ON o.id = d.deputy_for
            LEFT JOIN staff AS h ON h.id = o.staff_id
            WHERE s.token_sha256 = sha256(convert_to(token, 'UTF8'))
                AND s.ended_at IS NULL AND s.expires_at > now()
                AND CASE WHEN s.staff_id IS NULL THEN r.closed_at IS NULL ELSE
                    s.last_seen_at > now() - interval '15 minutes'
                    AND a.state = 'active' AND d.staff_id = a.id
                    AND d.revoked_at IS NULL AND {TODAY} BETWEEN d.from_on AND d.to_on
                    AND (d.deputy_for IS NULL
                        OR o.revoked_at IS NULL AND {TODAY} BETWEEN o.from_on AND o.to_on)
                END;
    END
    $$
"""
_ONE = """
    CREATE {orwhat}FUNCTION {name}() RETURNS {kind} LANGUAGE plpgsql {head}
    BEGIN
        RETURN (SELECT {what} FROM session_actor() AS actor{which});
    END
    $$
"""


def _one(name: str, kind: str, what: str, roles: tuple[str, ...] = (), orwhat: str = "") -> str:
    which = f" WHERE actor.role IN {roles}" if roles else ""
    return _ONE.format(name=name, kind=kind, what=what, which=which, orwhat=orwhat, head=HEAD)


# Everybody who turned out to be one of these people, by whichever number they are asked for. Asked
# with the rights of whoever asks: the site is told of those whom the session sees.
SAME_PEOPLE = f"""
    CREATE FUNCTION same_people(people bigint[]) RETURNS bigint[] LANGUAGE plpgsql
    {HEAD.replace("SECURITY DEFINER", "SECURITY INVOKER")}
    BEGIN
        RETURN ARRAY(
            WITH RECURSIVE same (id) AS (
                SELECT person_now(p.id) FROM unnest(people) AS p (id)
                UNION SELECT m.merged_id FROM person_merge AS m JOIN same AS s ON s.id = m.person_id
                    WHERE m.undone_at IS NULL
            )
            SELECT id FROM same
        );
    END
    $$
"""
# Whether somebody has an account, also one from before being merged.
HAS_ACCOUNT = f"""
    CREATE FUNCTION has_account(person bigint) RETURNS boolean LANGUAGE plpgsql {HEAD}
    BEGIN
        RETURN EXISTS (SELECT FROM resident AS r
            WHERE r.person_id = ANY (same_people(ARRAY[person])) AND r.closed_at IS NULL);
    END
    $$
"""
# Whether anybody is on duty for a list of work today.
LIST_MANNED = f"""
    CREATE FUNCTION list_manned(wanted text, place bigint) RETURNS boolean LANGUAGE plpgsql {HEAD}
    BEGIN
        RETURN EXISTS (
            SELECT FROM duty AS d JOIN staff AS a ON a.id = d.staff_id AND a.state = 'active'
            LEFT JOIN duty AS o ON o.id = d.deputy_for
            WHERE d.role = wanted AND place BETWEEN d.area_from AND d.area_to
                AND d.revoked_at IS NULL AND {TODAY} BETWEEN d.from_on AND d.to_on
                AND (d.deputy_for IS NULL
                    OR o.revoked_at IS NULL AND {TODAY} BETWEEN o.from_on AND o.to_on));
    END
    $$
"""
# What was sealed for somebody before being merged is read by who sees the person now.
FORMER_KEY = f"""
    CREATE FUNCTION former_key(person bigint) RETURNS bytea LANGUAGE plpgsql {HEAD}
    BEGIN
        RETURN (
            SELECT former.data_key FROM person AS former
            JOIN person AS p ON p.id = person_now(former.id)
            WHERE former.id = person AND p.id <> former.id
                AND (p.area BETWEEN scope_low() AND scope_high()
                    OR p.lives_in BETWEEN home_low() AND home_high()
                    OR p.id = ANY (scope_people()))
        );
    END
    $$
"""
SCOPE_PEOPLE = f"""
    CREATE OR REPLACE FUNCTION scope_people() RETURNS bigint[] LANGUAGE plpgsql {HEAD}
    DECLARE
        actor record;
    BEGIN
        SELECT * INTO actor FROM session_actor();
        IF actor.resident_id IS NOT NULL AND NOT actor.died THEN
            RETURN ARRAY(
                SELECT actor.person_id WHERE actor.person_id IS NOT NULL
                UNION SELECT person_now(f.person_id) FROM family_authority AS f
                    WHERE f.resident_id = actor.resident_id AND authority_holds(f)
                UNION SELECT person_now(g.person_id) FROM delegation AS g
                    WHERE g.resident_id = actor.resident_id AND 'see' = ANY (g.scope)
                        AND delegation_holds(g)
            );
        ELSIF actor.role IN {VISITORS} THEN
            RETURN ARRAY(
                SELECT s.person_id FROM assignment AS s
                    WHERE s.staff_no = actor.holder_no AND s.role = actor.role
                        AND {TODAY} BETWEEN s.from_on AND s.to_on
                UNION SELECT person_now(g.person_id) FROM delegation AS g
                    WHERE g.staff_id = actor.staff_id AND 'see' = ANY (g.scope)
                        AND delegation_holds(g)
            );
        END IF;
        RETURN '{{}}'; -- deciders see an area, auditors and administrators no people
    END
    $$
"""
# Neither withdrawn nor given to a text that was changed so much that it must be asked for again.
CONSENT_HOLDS = f"""
    CREATE FUNCTION consent_holds(one consent) RETURNS boolean LANGUAGE plpgsql {HEAD}
    BEGIN
        RETURN one.version >= coalesce(
                (SELECT f.version FROM consent_floor AS f WHERE f.purpose = one.purpose), 1)
            AND NOT EXISTS (SELECT FROM consent_withdrawal AS w WHERE w.consent_id = one.id);
    END
    $$
"""
DELEGATION_HOLDS = f"""
    CREATE FUNCTION delegation_holds(one delegation) RETURNS boolean LANGUAGE plpgsql {HEAD}
    BEGIN
        RETURN one.ended_at IS NULL AND {TODAY} BETWEEN one.from_on AND one.to_on
            AND EXISTS (SELECT FROM consent AS c
                WHERE c.id = one.consent_id AND consent_holds(c));
    END
    $$
"""
# What a resident took up alone rests on the register, and holds as long as that says so; over a
# child under 14 a guardian needs the consent besides (个人信息保护法 art. 31).
AUTHORITY_HOLDS = f"""
    CREATE FUNCTION authority_holds(one family_authority) RETURNS boolean
    LANGUAGE plpgsql {HEAD}
    DECLARE
        whom person := (SELECT p FROM person AS p WHERE p.id = person_now(one.person_id));
    BEGIN
        IF one.revoked_at IS NOT NULL OR NOT {TODAY} BETWEEN one.from_on AND one.to_on THEN
            RETURN false;
        END IF;
        IF one.recorded_by LIKE 'resident:%' AND NOT EXISTS (
            SELECT FROM resident AS r WHERE r.id = one.resident_id
                AND person_now(r.person_id) = person_now(whom.guardian_id)
        ) THEN
            RETURN false;
        END IF;
        RETURN one.basis <> 'guardian' OR whom.born_on <= ({TODAY} - interval '14 years')::date
            OR EXISTS (SELECT FROM consent AS c
                WHERE c.resident_id = one.resident_id AND c.purpose = 'children_data'
                    AND c.person_id = ANY (same_people(ARRAY[one.person_id]))
                    AND consent_holds(c));
    END
    $$
"""
# Of a stored row that the session may see.
STANDS = f"""
    CREATE FUNCTION {{name}}(which bigint) RETURNS boolean LANGUAGE plpgsql {HEAD}
    BEGIN
        RETURN EXISTS (SELECT FROM {{table}} AS one WHERE one.id = which
            AND (one.resident_id = scope_resident() OR sees_person(person_now(one.person_id)))
            AND {{holds}}(one));
    END
    $$
"""
CONSENT_STANDS = STANDS.format(name="consent_stands", table="consent", holds="consent_holds")
AUTHORITY_STANDS = STANDS.format(
    name="authority_stands", table="family_authority", holds="authority_holds"
)
# Who delegated something to the session, and what opens their names: of a delegation that is not
# for seeing, nothing else is shown.
DELEGATORS = f"""
    CREATE FUNCTION delegators()
    RETURNS TABLE (
        delegation_id bigint, person_id bigint, name bytea, data_key bytea, sealed_with bytea
    ) LANGUAGE plpgsql {HEAD}
    DECLARE
        actor record;
    BEGIN
        SELECT * INTO actor FROM session_actor();
        RETURN QUERY
            SELECT g.id, p.id, p.name, p.data_key, former.data_key FROM delegation AS g
            JOIN person AS former ON former.id = g.person_id
            JOIN person AS p ON p.id = person_now(g.person_id)
            WHERE (g.resident_id = actor.resident_id AND NOT actor.died
                OR g.staff_id = actor.staff_id) AND delegation_holds(g);
    END
    $$
"""
# What was over once stays over, even if the clock is set back.
END_IF_OVER = f"""
    CREATE FUNCTION end_if_over(token text) RETURNS void LANGUAGE plpgsql
    {HEAD.replace("STABLE", "VOLATILE")}
    BEGIN
        UPDATE account_session SET ended_at = now(), ended_why = 'over'
            WHERE token_sha256 = sha256(convert_to(token, 'UTF8')) AND ended_at IS NULL
                AND (expires_at <= now() OR staff_id IS NOT NULL
                    AND last_seen_at <= now() - interval '15 minutes');
    END
    $$
"""
# Before there is a session, an account is found by what its owner alone can show.
RESIDENT_OF_OPENID = f"""
    CREATE FUNCTION resident_of_openid(indexes bytea[]) RETURNS bigint LANGUAGE plpgsql {HEAD}
    BEGIN
        RETURN (
            SELECT r.id FROM wechat_user AS w JOIN resident AS r ON r.id = w.resident_id
            WHERE w.openid_index = ANY (indexes) AND w.revoked_at IS NULL AND r.closed_at IS NULL
        );
    END
    $$
"""
# Known to whoever was told the code, for ten minutes.
RESIDENT_OF_CODE = f"""
    CREATE FUNCTION resident_of_code() RETURNS bigint LANGUAGE plpgsql {HEAD}
    DECLARE
        code text := current_setting('shukun.code', true);
    BEGIN
        IF code IS NULL OR code = '' OR NOT EXISTS (SELECT FROM session_actor()) THEN
            RETURN NULL;
        END IF;
        RETURN (
            SELECT CASE WHEN count(*) = 1 THEN min(c.resident_id) END FROM account_code AS c
            JOIN resident AS r ON r.id = c.resident_id
            WHERE c.code_sha256 = sha256(convert_to(code, 'UTF8')) AND c.expires_at > now()
                AND r.closed_at IS NULL
        );
    END
    $$
"""
# Tries of accounts that the same WeChat user closed count too.
IDENTITY_TRIES = f"""
    CREATE FUNCTION identity_tries() RETURNS bigint LANGUAGE plpgsql {HEAD}
    DECLARE
        me bigint := scope_resident();
    BEGIN
        RETURN (
            SELECT count(*) FROM identity_check AS c
            WHERE c.method = 'register' AND c.at > now() - interval '{TRIES_HOURS} hours'
                AND (c.resident_id = me OR c.resident_id IN (
                    SELECT other.resident_id FROM wechat_user AS own
                    JOIN wechat_user AS other ON other.openid_index = own.openid_index
                    WHERE own.resident_id = me))
        );
    END
    $$
"""
# For residents who are not known yet: somebody by number, as often as tries are allowed.
PERSON_BY_NUMBER = f"""
    CREATE FUNCTION person_by_number(indexes bytea[])
    RETURNS TABLE (person_id bigint, name bytea, data_key bytea) LANGUAGE plpgsql {HEAD}
    BEGIN
        IF scope_resident() IS NULL OR identity_tries() >= {MOST_TRIES} THEN
            RETURN;
        END IF;
        RETURN QUERY
            SELECT p.id, p.name, p.data_key FROM person_number AS n
            JOIN person AS p ON p.id = n.person_id
            WHERE n.number_index = ANY (indexes) AND p.known AND p.died_on > {TODAY};
    END
    $$
"""
WARDS = f"""
    CREATE FUNCTION wards()
    RETURNS TABLE (person_id bigint, name bytea, data_key bytea, born_on date)
    LANGUAGE plpgsql {HEAD}
    DECLARE
        guardian bigint := (SELECT actor.person_id FROM session_actor() AS actor);
    BEGIN
        RETURN QUERY
            SELECT p.id, p.name, p.data_key, p.born_on FROM person AS p
            WHERE p.guardian_id = ANY (same_people(ARRAY[guardian])) AND p.known
                AND p.died_on > {TODAY}
                AND p.born_on > ({TODAY} - interval '18 years')::date;
    END
    $$
"""
# For whom the session may do what a delegation names; `speak`: whose word its word is.
AUTHORITY_OVER = f"""
    CREATE FUNCTION authority_over(wanted text) RETURNS bigint[] LANGUAGE plpgsql {HEAD}
    DECLARE
        actor record;
    BEGIN
        SELECT * INTO actor FROM session_actor();
        IF actor.died THEN
            RETURN '{{}}';
        END IF;
        RETURN ARRAY(
            SELECT actor.person_id WHERE actor.person_id IS NOT NULL
            UNION SELECT person_now(f.person_id) FROM family_authority AS f
                WHERE f.resident_id = actor.resident_id AND authority_holds(f)
                    AND (wanted <> 'speak' OR f.basis = 'guardian')
            UNION SELECT person_now(g.person_id) FROM delegation AS g
                WHERE (g.resident_id = actor.resident_id OR g.staff_id = actor.staff_id)
                    AND wanted = ANY (g.scope) AND delegation_holds(g)
        );
    END
    $$
"""
# The site may read no numbers; one's own, sealed, is told to who may look at the file.
OWN_NUMBER = f"""
    CREATE FUNCTION own_number(person bigint) RETURNS bytea LANGUAGE plpgsql {HEAD}
    BEGIN
        RETURN (
            SELECT n.number FROM person_number AS n
            WHERE n.person_id = person AND n.current AND scope_resident() IS NOT NULL
                AND person = ANY (authority_over('see'))
        );
    END
    $$
"""
FUNCTIONS = {
    "session_actor()": SESSION_ACTOR,
    "end_if_over(text)": END_IF_OVER,
    "scope_role()": _one("scope_role", "text", "actor.role"),
    "scope_staff()": _one("scope_staff", "bigint", "actor.staff_id"),
    "scope_resident()": _one("scope_resident", "bigint", "actor.resident_id"),
    "duty_low()": _one("duty_low", "bigint", "actor.area_from"),
    "duty_high()": _one("duty_high", "bigint", "actor.area_to"),
    "scope_low()": _one("scope_low", "bigint", "actor.area_from", DECIDERS, "OR REPLACE "),
    "scope_high()": _one("scope_high", "bigint", "actor.area_to", DECIDERS, "OR REPLACE "),
    "home_low()": _one("home_low", "bigint", "actor.area_from", HOMES, "OR REPLACE "),
    "home_high()": _one("home_high", "bigint", "actor.area_to", HOMES, "OR REPLACE "),
    "same_people(bigint[])": SAME_PEOPLE,
    "consent_holds(consent)": CONSENT_HOLDS,
    "delegation_holds(delegation)": DELEGATION_HOLDS,
    "authority_holds(family_authority)": AUTHORITY_HOLDS,
    "consent_stands(bigint)": CONSENT_STANDS,
    "authority_stands(bigint)": AUTHORITY_STANDS,
    "delegators()": DELEGATORS,
    "has_account(bigint)": HAS_ACCOUNT,
    "list_manned(text, bigint)": LIST_MANNED,
    "former_key(bigint)": FORMER_KEY,
    "scope_people()": SCOPE_PEOPLE,
    "resident_of_openid(bytea[])": RESIDENT_OF_OPENID,
    "resident_of_code()": RESIDENT_OF_CODE,
    "identity_tries()": IDENTITY_TRIES,
    "person_by_number(bytea[])": PERSON_BY_NUMBER,
    "wards()": WARDS,
    "authority_over(text)": AUTHORITY_OVER,
    "own_number(bigint)": OWN_NUMBER,
}
# Whoever closes an account, the resident, staff or WeChat: everything of it ends. The index of the
# openid is forgotten when tries of it count no more.
CLOSING = """
    CREATE FUNCTION close_resident() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
    BEGIN
        UPDATE wechat_user SET revoked_at = now()
            WHERE resident_id = NEW.id AND revoked_at IS NULL;
        UPDATE account_session SET ended_at = now(), ended_why = 'closed'
            WHERE resident_id = NEW.id AND ended_at IS NULL;
        UPDATE family_authority SET revoked_at = now(), revoked_by = 'closed'
            WHERE resident_id = NEW.id AND revoked_at IS NULL;
        UPDATE delegation SET ended_at = now(), ended_by = 'closed'
            WHERE resident_id = NEW.id AND ended_at IS NULL;
        DELETE FROM account_code WHERE resident_id = NEW.id;
        RETURN NULL;
    END
    $$
"""
STUBS = {
    "scope_low": "bigint", "scope_high": "bigint",
    "home_low": "bigint", "home_high": "bigint",
    "scope_people": "bigint[]",
}  # fmt: skip

PERSON_SEEN = "EXISTS (SELECT FROM person WHERE person.id = person_now({}.person_id))"
OWN = "resident_id = (SELECT scope_resident())"
# Colleagues are known by name to those for whom they work.
NAMED = """
    id = (SELECT scope_staff())
    OR EXISTS (SELECT FROM delegation AS d WHERE d.staff_id = staff.id)
    OR EXISTS (SELECT FROM assignment AS a WHERE a.staff_no = staff.staff_no
        AND a.person_id = ANY ((SELECT scope_people())::bigint[]))
"""
POLICIES = {
    # A person's rows are seen by whoever sees the person.
    "resident": f"id = (SELECT scope_resident()) OR {PERSON_SEEN.format('resident')}",
    "wechat_user": OWN,
    "account_code": OWN,
    "identity_check": f"{OWN} OR {PERSON_SEEN.format('identity_check')}",
    "family_authority": f"{OWN} OR {PERSON_SEEN.format('family_authority')}",
    "consent": f"{OWN} OR {PERSON_SEEN.format('consent')}",
    "consent_withdrawal": "EXISTS (SELECT FROM consent WHERE consent.id = consent_id)",
    "delegation": f"{OWN} OR staff_id = (SELECT scope_staff())"
    f" OR {PERSON_SEEN.format('delegation')}",
    "account_session": f"{OWN} OR staff_id = (SELECT scope_staff())",
    "staff": NAMED,
    "person_merge": PERSON_SEEN.format("person_merge"),
    "duty": "staff_id = (SELECT scope_staff())",
}
# Nothing here is written but by the deeds of `account_deeds.sql`; digests of passwords and tokens,
# sealed secrets and blind indexes are for the database alone.
GRANTS = (
    "SELECT (id, person_id, level, ui_mode, phone, phone_at, created_at, closed_at) ON resident",
    "SELECT (resident_id, openid, created_at, revoked_at) ON wechat_user",
    "SELECT ON family_authority, consent, consent_withdrawal, delegation, duty",
    "SELECT (id, staff_no, name) ON staff",
    "SELECT (merged_id, person_id, undone_at) ON person_merge",
    "SELECT, INSERT, UPDATE, DELETE ON rate_window",
    "USAGE ON SEQUENCE row_id",
)


def upgrade() -> None:
    _create_residents()
    _create_staff()
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE"
            f" ON {table} FOR EACH STATEMENT EXECUTE FUNCTION forbid_change()"
        )
    for table, column in ONCE.items():
        op.execute(
            f"CREATE TRIGGER {table}_ended_stays BEFORE UPDATE OF {column} ON {table}"
            f" FOR EACH ROW WHEN (OLD.{column} IS NOT NULL) EXECUTE FUNCTION forbid_change()"
        )
    _create_functions()
    _create_policies()
    for grant in GRANTS:
        op.execute(f"GRANT {grant} TO shukun_app")


def _create_functions() -> None:
    # Owned by the role that sees every row; to own them it must be allowed to create, just now.
    op.execute("GRANT CREATE ON SCHEMA public TO shukun_worker")
    for signature, body in FUNCTIONS.items():
        op.execute(body)
        op.execute(f"REVOKE EXECUTE ON FUNCTION {signature} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {signature} TO shukun_worker")
        if signature not in ASKED_BY_DEEDS:
            op.execute(f"GRANT EXECUTE ON FUNCTION {signature} TO shukun_app")
        op.execute(f"ALTER FUNCTION {signature} OWNER TO shukun_worker")
    # Asked by rules of the site's role, which reads no merges itself.
    op.execute(
        "ALTER FUNCTION person_now(bigint) SECURITY DEFINER SET search_path = public, pg_temp"
    )
    op.execute(CLOSING)
    op.execute("REVOKE EXECUTE ON FUNCTION close_resident() FROM PUBLIC")
    op.execute(
        "CREATE TRIGGER resident_closed AFTER UPDATE OF closed_at ON resident FOR EACH ROW"
        " WHEN (OLD.closed_at IS NULL AND NEW.closed_at IS NOT NULL)"
        " EXECUTE FUNCTION close_resident()"
    )
    op.execute("ALTER FUNCTION close_resident() OWNER TO shukun_worker")
    _create_deeds()
    op.execute("REVOKE CREATE ON SCHEMA public FROM shukun_worker")


def _create_deeds() -> None:
    for name, statement in _deeds():
        op.execute(statement)
        op.execute(f"REVOKE EXECUTE ON FUNCTION {name} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {name} TO shukun_worker")
        if name in DEEDS_OF_THE_SITE:
            op.execute(f"GRANT EXECUTE ON FUNCTION {name} TO shukun_app")
        op.execute(f"ALTER FUNCTION {name} OWNER TO shukun_worker")
    op.execute(
        "CREATE TRIGGER resident_level BEFORE INSERT OR UPDATE ON resident"
        " FOR EACH ROW EXECUTE FUNCTION level_resident()"
    )
    op.execute(
        "CREATE TRIGGER consent_ends AFTER INSERT ON consent_withdrawal"
        " FOR EACH ROW EXECUTE FUNCTION consent_withdrawn()"
    )


def _deeds() -> Iterator[tuple[str, str]]:
    """Name and statement of each function of the script."""
    for statement in DEEDS.read_text(encoding="utf-8").split("$$;\n"):
        if found := re.search(r"CREATE FUNCTION (\w+)", statement):
            yield found[1], f"{statement}$$"


def _create_policies() -> None:
    for table, seen in POLICIES.items():
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY own_rows ON {table} FOR SELECT TO shukun_app USING ({seen})")
    op.execute(
        """
        CREATE POLICY own_list ON work_item TO shukun_app USING (role = (SELECT scope_role())
            AND list_area >= (SELECT duty_low()) AND list_area <= (SELECT duty_high()))
        """
    )


def _now(name: str) -> sa.Column:
    return sa.Column(
        name, sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
    )


def _moment(name: str) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=True)


def _row_id() -> sa.Column:
    return sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False)


def _identity() -> sa.Column:
    return sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False)


def _to_on() -> sa.Column:
    return sa.Column("to_on", sa.Date(), server_default=sa.text("'infinity'::date"), nullable=False)


def _sealed(name: str) -> sa.Column:
    return sa.Column(name, sa.LargeBinary(), server_default=sa.text("''::bytea"), nullable=False)


def _refers(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=f"fk_{table}_{column}_{to}")


def _create_residents() -> None:
    op.create_table(
        "resident",
        _row_id(),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("level", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("ui_mode", sa.Text(), server_default="normal", nullable=False),
        _sealed("phone"),
        _sealed("phone_index"),
        _moment("phone_at"),
        _now("created_at"),
        _moment("closed_at"),
        sa.CheckConstraint("level BETWEEN 0 AND 2", name="ck_resident_level_known"),
        sa.CheckConstraint(
            "(person_id IS NOT NULL) = (level = 2)", name="ck_resident_named_at_level_two"
        ),
        sa.CheckConstraint("ui_mode IN ('normal', 'elder')", name="ck_resident_ui_mode_known"),
        _refers("resident", "person_id", "person"),
        sa.PrimaryKeyConstraint("id", name="pk_resident"),
    )
    op.create_index(
        "uq_resident_person_id_open",
        "resident",
        ["person_id"],
        unique=True,
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_index(
        "ix_resident_phone_index",
        "resident",
        ["phone_index"],
        postgresql_where=sa.text("phone_index <> ''"),
    )
    op.create_table(
        "wechat_user",
        sa.Column("resident_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("openid_index", sa.LargeBinary(), nullable=False),
        sa.Column("openid", sa.LargeBinary(), nullable=False),
        _now("created_at"),
        _moment("revoked_at"),
        _refers("wechat_user", "resident_id", "resident"),
        sa.PrimaryKeyConstraint("resident_id", name="pk_wechat_user"),
    )
    op.create_index("ix_wechat_user_openid_index", "wechat_user", ["openid_index"])
    op.create_index(
        "uq_wechat_user_openid_index_open",
        "wechat_user",
        ["openid_index"],
        unique=True,
        postgresql_where=sa.text("revoked_at IS NULL"),
    )
    op.create_table(
        "account_code",
        sa.Column("resident_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("code_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        _refers("account_code", "resident_id", "resident"),
        sa.PrimaryKeyConstraint("resident_id", name="pk_account_code"),
    )
    op.create_index("ix_account_code_code_sha256", "account_code", ["code_sha256"])
    op.create_table(
        "identity_check",
        _identity(),
        sa.Column("resident_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        _now("at"),
        sa.Column("by", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "method IN ('register', 'counter')", name="ck_identity_check_method_known"
        ),
        sa.CheckConstraint(
            "(outcome = 'matched') = (person_id IS NOT NULL)"
            " AND outcome IN ('matched', 'not_matched')",
            name="ck_identity_check_outcome_known",
        ),
        _refers("identity_check", "resident_id", "resident"),
        _refers("identity_check", "person_id", "person"),
        sa.PrimaryKeyConstraint("id", name="pk_identity_check"),
    )
    op.create_index("ix_identity_check_resident_id_at", "identity_check", ["resident_id", "at"])
    op.create_index("ix_identity_check_person_id", "identity_check", ["person_id"])
    _create_authorities()


def _create_authorities() -> None:
    op.create_table(
        "family_authority",
        _row_id(),
        sa.Column("resident_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("relationship", sa.Text(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        _sealed("proof_note"),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        _now("recorded_at"),
        sa.Column("from_on", sa.Date(), nullable=False),
        _to_on(),
        _moment("revoked_at"),
        sa.Column("revoked_by", sa.Text(), nullable=True),
        sa.CheckConstraint("to_on >= from_on", name="ck_family_authority_days_in_order"),
        _refers("family_authority", "resident_id", "resident"),
        _refers("family_authority", "person_id", "person"),
        sa.PrimaryKeyConstraint("id", name="pk_family_authority"),
    )
    op.create_index("ix_family_authority_resident_id", "family_authority", ["resident_id"])
    op.create_index("ix_family_authority_person_id", "family_authority", ["person_id"])
    op.create_table(
        "consent",
        _row_id(),
        sa.Column("resident_id", sa.BigInteger(), nullable=True),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("text_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("text_sha256", sa.LargeBinary(), nullable=False),
        _now("given_at"),
        sa.Column("channel", sa.Text(), nullable=False),
        _sealed("proof"),
        sa.Column("by", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "channel IN ('mini_program', 'bedside', 'counter')", name="ck_consent_channel_known"
        ),
        _refers("consent", "resident_id", "resident"),
        _refers("consent", "person_id", "person"),
        sa.PrimaryKeyConstraint("id", name="pk_consent"),
    )
    op.create_index("ix_consent_person_id_purpose", "consent", ["person_id", "purpose"])
    op.create_index("ix_consent_resident_id", "consent", ["resident_id"])
    op.create_table(
        "consent_floor",
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        _now("raised_at"),
        sa.PrimaryKeyConstraint("purpose", name="pk_consent_floor"),
    )
    op.create_table(
        "consent_withdrawal",
        sa.Column("consent_id", sa.BigInteger(), autoincrement=False, nullable=False),
        _now("at"),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "channel IN ('mini_program', 'bedside', 'counter')",
            name="ck_consent_withdrawal_channel_known",
        ),
        _refers("consent_withdrawal", "consent_id", "consent"),
        sa.PrimaryKeyConstraint("consent_id", name="pk_consent_withdrawal"),
    )


def _create_staff() -> None:
    op.create_table(
        "staff",
        _row_id(),
        sa.Column("staff_no", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("password_salt", sa.Text(), nullable=False),
        sa.Column("password_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("totp_secret", sa.LargeBinary(), nullable=False),
        sa.Column("totp_last_step", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("state", sa.Text(), server_default="active", nullable=False),
        sa.Column("failed", sa.Integer(), server_default=sa.text("0"), nullable=False),
        _moment("locked_until"),
        sa.Column("refused", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("must_change", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        _now("created_at"),
        sa.CheckConstraint("state IN ('active', 'disabled', 'left')", name="ck_staff_state_known"),
        sa.PrimaryKeyConstraint("id", name="pk_staff"),
        sa.UniqueConstraint("staff_no", name="uq_staff_staff_no"),
    )
    op.create_table(
        "staff_network",
        sa.Column("staff_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("network", sa.Text(), nullable=False),
        sa.Column("failed", sa.Integer(), server_default=sa.text("0"), nullable=False),
        _moment("locked_until"),
        _now("seen_at"),
        _refers("staff_network", "staff_id", "staff"),
        sa.PrimaryKeyConstraint("staff_id", "network", name="pk_staff_network"),
    )
    op.create_table(
        "duty",
        _identity(),
        sa.Column("staff_id", sa.BigInteger(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("area_from", sa.BigInteger(), nullable=False),
        sa.Column("area_to", sa.BigInteger(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        _to_on(),
        sa.Column("deputy_for", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("granted_by", sa.Text(), nullable=False),
        _now("granted_at"),
        _moment("revoked_at"),
        sa.Column("revoked_by", sa.Text(), nullable=True),
        sa.CheckConstraint(f"role IN {ROLES}", name="ck_duty_role_known"),
        sa.CheckConstraint("to_on >= from_on", name="ck_duty_days_in_order"),
        sa.CheckConstraint("area_to >= area_from", name="ck_duty_area_in_order"),
        sa.CheckConstraint(
            "deputy_for IS NULL OR to_on < 'infinity'::date", name="ck_duty_deputy_for_a_time"
        ),
        _refers("duty", "staff_id", "staff"),
        sa.PrimaryKeyConstraint("id", name="pk_duty"),
        sa.UniqueConstraint(
            "id", "role", "area_from", "area_to", name="uq_duty_id_role_area_from_area_to"
        ),
        sa.ForeignKeyConstraint(
            ["deputy_for", "role", "area_from", "area_to"],
            ["duty.id", "duty.role", "duty.area_from", "duty.area_to"],
            name="fk_duty_deputy_for_duty",
        ),
        postgresql.ExcludeConstraint(
            (sa.column("staff_id"), "="),
            (sa.text(f"({APART})"), "<>"),
            (sa.text("daterange(from_on, to_on, '[]')"), "&&"),
            using="gist",
            where=sa.text(f"revoked_at IS NULL AND role NOT IN {VISITORS}"),
            name="ex_duty_apart",
        ),
    )
    op.create_index("ix_duty_staff_id", "duty", ["staff_id"])
    op.create_index("ix_duty_deputy_for", "duty", ["deputy_for"])
    _create_acts()


def _create_acts() -> None:
    op.create_table(
        "delegation",
        _row_id(),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("staff_id", sa.BigInteger(), nullable=True),
        sa.Column("resident_id", sa.BigInteger(), nullable=True),
        sa.Column("scope", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("to_on", sa.Date(), nullable=False),
        sa.Column("consent_id", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        _sealed("proof"),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        _now("recorded_at"),
        _moment("ended_at"),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.CheckConstraint("to_on >= from_on", name="ck_delegation_days_in_order"),
        sa.CheckConstraint("cardinality(scope) > 0", name="ck_delegation_for_something"),
        sa.CheckConstraint(
            "num_nonnulls(staff_id, resident_id) = 1", name="ck_delegation_to_somebody"
        ),
        sa.CheckConstraint(
            "channel IN ('mini_program', 'bedside', 'counter')", name="ck_delegation_channel_known"
        ),
        _refers("delegation", "person_id", "person"),
        _refers("delegation", "staff_id", "staff"),
        _refers("delegation", "resident_id", "resident"),
        _refers("delegation", "consent_id", "consent"),
        sa.PrimaryKeyConstraint("id", name="pk_delegation"),
    )
    for column in ("person_id", "staff_id", "resident_id"):
        op.create_index(f"ix_delegation_{column}", "delegation", [column])
    op.create_table(
        "handover",
        _identity(),
        sa.Column("from_staff_id", sa.BigInteger(), nullable=False),
        sa.Column("to_staff_id", sa.BigInteger(), nullable=False),
        _now("at"),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("counts", postgresql.JSONB(), nullable=False),
        sa.CheckConstraint("from_staff_id <> to_staff_id", name="ck_handover_to_another"),
        _refers("handover", "from_staff_id", "staff"),
        _refers("handover", "to_staff_id", "staff"),
        sa.PrimaryKeyConstraint("id", name="pk_handover"),
    )
    op.create_table(
        "account_session",
        _identity(),
        sa.Column("token_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("resident_id", sa.BigInteger(), nullable=True),
        sa.Column("staff_id", sa.BigInteger(), nullable=True),
        sa.Column("duty_id", sa.BigInteger(), nullable=True),
        _now("created_at"),
        _now("last_seen_at"),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        _moment("ended_at"),
        sa.Column("ended_why", sa.Text(), nullable=True),
        sa.Column("address_masked", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint(
            "num_nonnulls(resident_id, staff_id) = 1 AND (staff_id IS NULL) = (duty_id IS NULL)",
            name="ck_account_session_of_somebody",
        ),
        sa.CheckConstraint("length(token_sha256) = 32", name="ck_account_session_digest_whole"),
        _refers("account_session", "resident_id", "resident"),
        _refers("account_session", "staff_id", "staff"),
        _refers("account_session", "duty_id", "duty"),
        sa.PrimaryKeyConstraint("id", name="pk_account_session"),
        sa.UniqueConstraint("token_sha256", name="uq_account_session_token_sha256"),
    )
    for column in ("resident_id", "staff_id"):
        op.create_index(
            f"ix_account_session_{column}_open",
            "account_session",
            [column],
            postgresql_where=sa.text("ended_at IS NULL"),
        )
    op.create_table(
        "rate_window",
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("window_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("hits", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key", "window_start", name="pk_rate_window"),
        prefixes=["UNLOGGED"],
    )
    op.create_index("ix_rate_window_window_start", "rate_window", ["window_start"])


def downgrade() -> None:
    op.execute("DROP POLICY own_list ON work_item")
    op.execute("DROP TRIGGER resident_closed ON resident")
    op.execute("DROP FUNCTION close_resident()")
    op.execute("DROP TRIGGER resident_level ON resident")
    op.execute("DROP TRIGGER consent_ends ON consent_withdrawal")
    for name, _ in _deeds():
        op.execute(f"DROP FUNCTION {name}")
    for table in POLICIES:
        op.execute(f"DROP POLICY own_rows ON {table}")
    op.execute("ALTER TABLE person_merge NO FORCE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE person_merge DISABLE ROW LEVEL SECURITY")
    op.execute("REVOKE SELECT (merged_id, person_id, undone_at) ON person_merge FROM shukun_app")
    op.execute("ALTER FUNCTION person_now(bigint) SECURITY INVOKER RESET search_path")
    for signature in reversed(FUNCTIONS):
        if signature.removesuffix("()") not in STUBS:
            op.execute(f"DROP FUNCTION {signature}")
    for table in (
        "rate_window", "account_session", "handover", "delegation", "duty", "staff_network",
        "staff",
        "consent_withdrawal", "consent", "consent_floor", "family_authority", "identity_check",
        "account_code", "wechat_user", "resident",
    ):  # fmt: skip
        op.drop_table(table)
    for name, kind in STUBS.items():
        op.execute(
            f"CREATE OR REPLACE FUNCTION {name}() RETURNS {kind} LANGUAGE sql STABLE"
            f" SECURITY INVOKER AS 'SELECT NULL::{kind}'"
        )
        op.execute(f"ALTER FUNCTION {name}() RESET ALL")
        op.execute(f"ALTER FUNCTION {name}() OWNER TO CURRENT_USER")
        op.execute(f"GRANT EXECUTE ON FUNCTION {name}() TO PUBLIC")
    op.execute("REVOKE USAGE ON SEQUENCE row_id FROM shukun_app")
