"""审计链: what was written is chained by a sealer, so that a change of it shows."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

WRITTEN = "actor, role, action, subject_kind, subject_id, detail, purpose, area"
"""What writers say; the id and the moment are the database's."""

HEAD = "STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$"
# Planned for what is asked each time: what is not asked for falls away, and an index is found.
FRESH = HEAD.replace("STABLE", "STABLE SET plan_cache_mode = force_custom_plan")
# Everybody who turned out to be this person, the person included, as audited.
NAMES = f"""
    CREATE FUNCTION audit_names(person bigint) RETURNS text[] LANGUAGE plpgsql {HEAD}
    BEGIN
        RETURN ARRAY(
            WITH RECURSIVE same (id) AS (
                SELECT person
                UNION SELECT m.merged_id FROM person_merge AS m JOIN same AS s ON s.id = m.person_id
                    WHERE m.undone_at IS NULL
            )
            SELECT s.id::text FROM same AS s
        );
    END
    $$
"""
# Residents alone are told, and of those alone whom they act for.
SEEN = f"""
    CREATE FUNCTION audit_seen(person bigint, before bigint, own boolean, most integer)
    RETURNS TABLE (
        id bigint, at timestamptz, actor text, role text, purpose text, area bigint, detail jsonb
    ) LANGUAGE plpgsql {FRESH}
    DECLARE
        names text[] := audit_names(person);
        me text := 'resident:' || scope_resident();
    BEGIN
        IF me IS NULL OR NOT coalesce(person = ANY (scope_people()), false) THEN
            RETURN;
        END IF;
        RETURN QUERY
            SELECT e.id, e.at, e.actor, e.role, e.purpose, e.area, e.detail FROM audit_event AS e
            WHERE e.subject_kind = 'person' AND e.action = 'person.read'
                AND e.subject_id = ANY (names)
                AND e.id < coalesce(before, 9223372036854775807) AND (own OR e.actor <> me)
            ORDER BY e.id DESC LIMIT most;
    END
    $$
"""
# Where a person is registered, by the id that an event names. Only who was merged is followed.
PLACE_OF_PERSON = """
    (SELECT CASE WHEN EXISTS (SELECT FROM person_merge AS m
            WHERE m.merged_id = p.id AND m.undone_at IS NULL)
        THEN (SELECT q.area FROM person AS q WHERE q.id = person_now(p.id)) ELSE p.area END
    FROM person AS p WHERE p.id = {})
"""
NAMED = "CASE e.subject_kind WHEN 'person' THEN e.subject_id ELSE e.detail->>'person' END"
ACCOUNT = """
    CASE WHEN e.subject_kind = 'resident' THEN e.subject_id
        WHEN e.actor LIKE 'resident:%' THEN split_part(e.actor, ':', 2) END
"""
NUMBER = "CASE WHEN {0} ~ '^[0-9]{{1,18}}$' THEN ({0})::bigint END"
OF_ACCOUNT = f"(SELECT r.person_id FROM resident AS r WHERE r.id = {NUMBER.format(f'({ACCOUNT})')})"
# An auditor reads what concerns the places of the duty: where somebody acted, where the person whom
# it concerns or the account belongs is registered; what belongs to no place at all falls into each.
# Commands read everything. Looked up in the one statement: a function called for each event took
# ten times as long.
LISTED = f"""
    CREATE FUNCTION audit_listed(asked jsonb, most integer) RETURNS SETOF audit_event
    LANGUAGE plpgsql {FRESH}
    DECLARE
        command boolean := current_setting('role') = 'shukun_worker';
        low bigint := duty_low();
        high bigint := duty_high();
        names text[] := audit_names((asked->>'person')::bigint);
    BEGIN
        IF NOT command AND scope_role() IS DISTINCT FROM 'auditor' THEN
            RETURN;
        END IF;
        RETURN QUERY
            SELECT e.* FROM audit_event AS e
            LEFT JOIN LATERAL (SELECT
                {PLACE_OF_PERSON.format(NUMBER.format(f"({NAMED})"))} AS person,
                {PLACE_OF_PERSON.format(OF_ACCOUNT)} AS account
                WHERE NOT command AND (e.area BETWEEN low AND high) IS NOT TRUE OFFSET 0
            ) AS place ON true
            WHERE (command OR e.area BETWEEN low AND high
                    OR place.person BETWEEN low AND high OR place.account BETWEEN low AND high
                    OR num_nonnulls(e.area, place.person, place.account) = 0)
                AND e.id < coalesce((asked->>'before')::bigint, 9223372036854775807)
                AND e.at >= coalesce((asked->>'since')::timestamptz, '-infinity')
                AND e.at < coalesce((asked->>'until')::timestamptz, 'infinity')
                AND (asked->>'actor' IS NULL OR e.actor = asked->>'actor')
                AND (asked->>'person' IS NULL
                    OR e.subject_kind = 'person' AND e.subject_id = ANY (names)
                    OR e.detail ? 'person' AND e.detail->>'person' = ANY (names))
                AND (asked->>'action' IS NULL OR e.action = asked->>'action')
                AND (asked->>'kind' IS NULL OR e.subject_kind = asked->>'kind')
                AND (asked->>'subject' IS NULL OR e.subject_id = asked->>'subject')
            ORDER BY e.id DESC LIMIT most;
    END
    $$
"""
# Counted to ten thousand: the metrics are asked for often, and more is not worth the time.
WINDOW = f"""
    CREATE FUNCTION audit_window() RETURNS TABLE (waiting bigint, oldest_seconds double precision)
    LANGUAGE plpgsql {HEAD}
    DECLARE
        settled bigint := coalesce(
            (SELECT c.closed FROM audit_chain AS c ORDER BY c.position DESC LIMIT 1), 0);
    BEGIN
        RETURN QUERY
            SELECT count(*), coalesce(extract(epoch FROM clock_timestamp() - min(w.at) FILTER
                (WHERE isfinite(w.at))), 0)::float8
            FROM (
                SELECT e.at FROM audit_event AS e
                WHERE e.id > settled
                    AND NOT EXISTS (SELECT FROM audit_chain AS c WHERE c.event_id = e.id)
                ORDER BY e.id LIMIT 10000
            ) AS w;
    END
    $$
"""
FUNCTIONS = {
    "audit_names(bigint)": NAMES,
    "audit_seen(bigint, bigint, boolean, integer)": SEEN,
    "audit_listed(jsonb, integer)": LISTED,
    "audit_window()": WINDOW,
}


def upgrade() -> None:
    op.add_column("audit_event", _text("role"))
    op.add_column("audit_event", _text("purpose"))
    op.add_column("audit_event", sa.Column("area", sa.BigInteger(), nullable=True))
    # A long transaction's event says when it was written, not when the transaction began.
    op.execute("ALTER TABLE audit_event ALTER COLUMN at SET DEFAULT clock_timestamp()")
    op.create_index(
        "ix_audit_event_detail_person",
        "audit_event",
        [sa.text("(detail ->> 'person')")],
        postgresql_where=sa.text("detail ? 'person'"),
    )
    op.create_table(
        "audit_chain",
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=True),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("length(hash) = 32", name="ck_audit_chain_digest_whole"),
        sa.PrimaryKeyConstraint("position", name="pk_audit_chain"),
        sa.UniqueConstraint("event_id", name="uq_audit_chain_event_id"),
    )
    op.execute(
        """
        CREATE TRIGGER audit_chain_append_only BEFORE UPDATE OR DELETE OR TRUNCATE
            ON audit_chain FOR EACH STATEMENT EXECUTE FUNCTION forbid_change()
        """
    )
    op.create_table(
        "audit_written",
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("file", name="pk_audit_written"),
    )
    op.execute(
        "REVOKE ALL ON audit_event, audit_chain, audit_written FROM shukun_app, shukun_worker"
    )
    op.execute(f"GRANT INSERT ({WRITTEN}) ON audit_event TO shukun_app, shukun_worker")
    op.execute("GRANT SELECT ON audit_event TO shukun_worker")
    op.execute("GRANT SELECT, INSERT ON audit_chain TO shukun_worker")
    op.execute("GRANT SELECT, INSERT, UPDATE ON audit_written TO shukun_worker")
    op.execute("GRANT SELECT ON SEQUENCE audit_event_id_seq TO shukun_worker")
    _create_functions()


def _text(name: str) -> sa.Column:
    return sa.Column(name, sa.Text(), server_default="", nullable=False)


def _create_functions() -> None:
    op.execute("GRANT CREATE ON SCHEMA public TO shukun_worker")
    for signature, body in FUNCTIONS.items():
        op.execute(body)
        op.execute(f"REVOKE EXECUTE ON FUNCTION {signature} FROM PUBLIC")
        if body != NAMES:
            op.execute(f"GRANT EXECUTE ON FUNCTION {signature} TO shukun_app, shukun_worker")
        op.execute(f"ALTER FUNCTION {signature} OWNER TO shukun_worker")
    op.execute("REVOKE CREATE ON SCHEMA public FROM shukun_worker")


def downgrade() -> None:
    for signature in reversed(FUNCTIONS):
        op.execute(f"DROP FUNCTION {signature}")
    op.drop_table("audit_written")
    op.drop_table("audit_chain")
    op.drop_index("ix_audit_event_detail_person", "audit_event")
    op.execute("REVOKE ALL ON audit_event FROM shukun_app, shukun_worker")
    op.execute("GRANT SELECT, INSERT ON audit_event TO shukun_app, shukun_worker")
    op.execute("REVOKE SELECT ON SEQUENCE audit_event_id_seq FROM shukun_worker")
    op.execute("ALTER TABLE audit_event ALTER COLUMN at SET DEFAULT now()")
    for column in ("area", "purpose", "role"):
        op.drop_column("audit_event", column)
