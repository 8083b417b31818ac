"""The roles of the database: the application sees its actor's area, the worker every row.

Also what the database keeps to know its keys again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

ROLE = """
    DO $$
    BEGIN
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{name}') THEN
            CREATE ROLE {name} NOLOGIN {rights};
        END IF;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN
        NULL; -- another database of this server made it just now
    END
    $$
"""
# From 16 on, who made a role administers it without being allowed to act as it.
MEMBER = """
    DO $$
    DECLARE
        may text := CASE WHEN current_setting('server_version_num')::int < 160000
                         THEN 'MEMBER' ELSE 'SET' END;
    BEGIN
        IF NOT pg_has_role(CURRENT_USER, '{name}', may) THEN
            GRANT {name} TO CURRENT_USER;
        END IF;
    END
    $$
"""
SEES_ALL = """
    DO $$
    BEGIN
        IF NOT (SELECT rolbypassrls OR rolsuper FROM pg_roles WHERE rolname = 'shukun_worker') THEN
            RAISE EXCEPTION 'role shukun_worker has no BYPASSRLS'
                USING ERRCODE = 'insufficient_privilege';
        END IF;
    END
    $$
"""

SCOPE = {
    "scope_low": "bigint", "scope_high": "bigint",
    "home_low": "bigint", "home_high": "bigint",
    "scope_people": "bigint[]",
}  # fmt: skip
"""What the transaction's session may see: registered areas, places where people live, people one by
one. Nothing, until migration 0012 brings sessions."""

# The sub-selects are read once a query, and comparing integers leaks nothing.
PROTECT = {
    "protect_people(target regclass, person_column text)": """
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
        EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', target);
        EXECUTE format(
            'CREATE POLICY own_people ON %s TO shukun_app USING ('
            '%I = ANY ((SELECT scope_people())::bigint[]))', target, person_column
        );
        lives := 'lives_in >= (SELECT home_low()) AND lives_in <= (SELECT home_high())';
        IF target::text <> 'person' THEN
            lives := format(
                'EXISTS (SELECT FROM person AS home WHERE home.id = %s.%I AND home.%s)',
                target, person_column, replace(lives, 'AND ', 'AND home.')
            );
        END IF;
        EXECUTE format('CREATE POLICY own_homes ON %s TO shukun_app USING (%s)', target, lives);
    """,
    "protect_area(target regclass, person_column text DEFAULT 'person_id')": """
        IF person_column = '' THEN
            EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
            EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', target);
        ELSE
            PERFORM protect_people(target, person_column);
        END IF;
        EXECUTE format(
            'CREATE POLICY own_area ON %s TO shukun_app USING ('
            'area >= (SELECT scope_low()) AND area <= (SELECT scope_high()))', target
        );
    """,
}
"""`protect_people`: for tables about people; `protect_area`: where they carry a registered area
too. `person_column` empty: rows about nobody."""


def upgrade() -> None:
    op.execute(ROLE.format(name="shukun_app", rights="NOBYPASSRLS"))
    op.execute(ROLE.format(name="shukun_worker", rights="BYPASSRLS"))
    op.execute(MEMBER.format(name="shukun_app"))
    op.execute(MEMBER.format(name="shukun_worker"))
    op.execute(SEES_ALL)
    op.execute(
        "ALTER DEFAULT PRIVILEGES IN SCHEMA public"
        " GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO shukun_worker"
    )
    op.execute(
        "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES"
        " TO shukun_worker"
    )
    op.execute("GRANT USAGE ON SCHEMA public TO shukun_app, shukun_worker")
    op.execute("GRANT SELECT ON alembic_version TO shukun_app, shukun_worker")
    op.execute("GRANT SELECT, INSERT ON audit_event TO shukun_app, shukun_worker")
    op.execute("GRANT SELECT ON policy_confirmation TO shukun_app")
    op.execute("GRANT SELECT, INSERT ON policy_confirmation TO shukun_worker")
    op.create_table(
        "key_check",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_key_check"),
    )
    op.execute("GRANT SELECT ON key_check TO shukun_app")
    for name, kind in SCOPE.items():
        op.execute(
            f"CREATE FUNCTION {name}() RETURNS {kind} LANGUAGE sql STABLE AS 'SELECT NULL::{kind}'"
        )
    for signature, body in PROTECT.items():
        op.execute(
            f"CREATE FUNCTION {signature} RETURNS void LANGUAGE plpgsql"
            f" AS $$ DECLARE lives text; BEGIN {body} END $$"
        )


def downgrade() -> None:
    op.drop_table("key_check")
    op.execute("DROP FUNCTION protect_area(regclass, text)")
    op.execute("DROP FUNCTION protect_people(regclass, text)")
    for name in SCOPE:
        op.execute(f"DROP FUNCTION {name}()")
    op.execute("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM shukun_app, shukun_worker")
    op.execute("REVOKE ALL ON SCHEMA public FROM shukun_app, shukun_worker")
    op.execute(
        "ALTER DEFAULT PRIVILEGES IN SCHEMA public"
        " REVOKE SELECT, INSERT, UPDATE, DELETE ON TABLES FROM shukun_worker"
    )
    op.execute(
        "ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE USAGE, SELECT ON SEQUENCES"
        " FROM shukun_worker"
    )
    # The roles stay: other databases of the server use them.
