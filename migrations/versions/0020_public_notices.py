"""公示: lists of a village that are up for some days, masked as they are kept; objections."""

import re
from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"

SCRIPT = Path(__file__).parents[1] / "sql" / "public_notices.sql"
OF_SITE = ("public_notices_up", "public_notice_rows", "object_to_notice", "objection_by_code")
OF_CASE = "EXISTS (SELECT FROM application AS a WHERE a.id = {}.application_id)"
AT_DESK = (
    "area >= (SELECT scope_low()) AND area <= (SELECT scope_high())"
    " AND (SELECT scope_role()) IN ('county_officer', 'city_officer')"
)
MAY_DECIDE = (
    "sits(application_id, 'stop', 'noticed', 'reviewed')"
    " AND NOT concerned_in(application_id, (SELECT scope_staff()))"
)


def _text(name: str, default: str | None = None) -> sa.Column:
    return sa.Column(name, sa.Text(), server_default=default, nullable=False)


def _id(name: str, *, optional: bool = False) -> sa.Column:
    return sa.Column(name, sa.BigInteger(), autoincrement=False, nullable=optional)


def _sealed(name: str) -> sa.Column:
    return sa.Column(name, sa.LargeBinary(), server_default=sa.text("''::bytea"), nullable=False)


def _now(name: str) -> sa.Column:
    return sa.Column(
        name, sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
    )


def _refers(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=f"fk_{table}_{column}_{to}")


def upgrade() -> None:
    _create_notices()
    _create_objections()
    _create_functions()
    op.execute(
        "CREATE TRIGGER step_2_notice_over BEFORE INSERT ON application_step FOR EACH ROW"
        " WHEN (NEW.deed = 'confirm') EXECUTE FUNCTION notice_over()"
    )
    op.execute(
        "CREATE TRIGGER objection_decided BEFORE UPDATE ON notice_objection FOR EACH ROW"
        " EXECUTE FUNCTION objection_decided()"
    )
    for table, what in (
        ("public_notice", "DELETE OR TRUNCATE"),
        ("public_notice_entry", "UPDATE OR DELETE OR TRUNCATE"),
        ("notice_objection", "DELETE OR TRUNCATE"),
    ):
        op.execute(
            f"CREATE TRIGGER {table}_kept BEFORE {what} ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION forbid_change()"
        )
    _create_policies()


def _create_notices() -> None:
    op.create_table(
        "public_notice",
        _id("id"), _id("area"), sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False), _now("made_at"),
        sa.PrimaryKeyConstraint("id", name="pk_public_notice"),
        sa.UniqueConstraint(
            "area", "first_day", "last_day", name="uq_public_notice_area_first_day_last_day"
        ),
        sa.CheckConstraint("last_day >= first_day", name="ck_public_notice_days_in_order"),
    )  # fmt: skip
    op.create_table(
        "public_notice_entry",
        _id("id"), _id("notice_id"), _id("application_id"),
        sa.Column("seq", sa.Integer(), nullable=False), _text("name"), _text("number"),
        _text("kind"),
        sa.PrimaryKeyConstraint("id", name="pk_public_notice_entry"),
        _refers("public_notice_entry", "notice_id", "public_notice"),
        _refers("public_notice_entry", "application_id", "application"),
        sa.UniqueConstraint(
            "application_id", "seq", name="uq_public_notice_entry_application_id_seq"
        ),
        # What is masked wrongly is refused, not shown.
        sa.CheckConstraint(
            "name ~ '^[^0-9*]?[*]{1,3}$'", name="ck_public_notice_entry_name_masked"
        ),
        sa.CheckConstraint(
            "number ~ '^[*]{16}[0-9X*]{2}$'", name="ck_public_notice_entry_number_masked"
        ),
        sa.CheckConstraint("kind ~ '^[a-z_]{1,40}$'", name="ck_public_notice_entry_kind_a_code"),
    )  # fmt: skip
    op.create_index("ix_public_notice_entry_notice_id", "public_notice_entry", ["notice_id"])


def _create_objections() -> None:
    op.create_table(
        "notice_objection",
        _id("id"), _id("notice_id"), _id("entry_id"), _id("application_id"), _id("area"),
        _text("client_key"), _sealed("words"), _sealed("contact"), _sealed("code"),
        _sealed("code_index"), _text("state", "open"), _sealed("answer"),
        _id("staff_id", optional=True), _now("made_at"),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_notice_objection"),
        _refers("notice_objection", "notice_id", "public_notice"),
        _refers("notice_objection", "entry_id", "public_notice_entry"),
        _refers("notice_objection", "application_id", "application"),
        sa.UniqueConstraint(
            "notice_id", "client_key", name="uq_notice_objection_notice_id_client_key"
        ),
        sa.CheckConstraint(
            "state IN ('open', 'upheld', 'dismissed', 'moot')",
            name="ck_notice_objection_state_known",
        ),
        sa.CheckConstraint(
            "(state = 'open') = (decided_at IS NULL)", name="ck_notice_objection_decided_dated"
        ),
    )  # fmt: skip
    op.create_index(
        "uq_notice_objection_code_index", "notice_objection", ["code_index"], unique=True
    )
    for column in ("entry_id", "application_id"):
        op.create_index(f"ix_notice_objection_{column}", "notice_objection", [column])
    op.create_index(
        "ix_notice_objection_open", "notice_objection", ["area", "id"],
        postgresql_where=sa.text("state = 'open'"),
    )  # fmt: skip


def _create_functions() -> None:
    # Owned by the role that sees every row; to own them it must be allowed to create, just now.
    op.execute("GRANT CREATE ON SCHEMA public TO shukun_worker")
    for statement in SCRIPT.read_text(encoding="utf-8").split("$$;\n"):
        found = re.search(r"CREATE FUNCTION (\w+)", statement)
        if found is None:
            continue
        name = found[1]
        op.execute(f"{statement}$$")
        op.execute(f"REVOKE EXECUTE ON FUNCTION {name} FROM PUBLIC")
        if name in OF_SITE:
            op.execute(f"GRANT EXECUTE ON FUNCTION {name} TO shukun_app")
        op.execute(f"ALTER FUNCTION {name} OWNER TO shukun_worker")
    op.execute("REVOKE CREATE ON SCHEMA public FROM shukun_worker")


def _create_policies() -> None:
    for table in ("public_notice", "public_notice_entry", "notice_objection"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"GRANT SELECT ON {table} TO shukun_app")
    op.execute("GRANT UPDATE (state, answer) ON notice_objection TO shukun_app")
    of_case = OF_CASE.format("notice_objection")
    for name, statement in (
        ("seen ON public_notice FOR SELECT", f"USING ({AT_DESK})"),
        ("seen ON public_notice_entry FOR SELECT",
         f"USING ({OF_CASE.format('public_notice_entry')})"),
        ("seen ON notice_objection FOR SELECT", f"USING ({AT_DESK} AND {of_case})"),
        ("decided ON notice_objection FOR UPDATE", f"USING ({AT_DESK} AND {MAY_DECIDE})"),
    ):  # fmt: skip
        op.execute(f"CREATE POLICY {name} TO shukun_app {statement}")


def downgrade() -> None:
    op.execute("DROP TRIGGER step_2_notice_over ON application_step")
    for table in ("notice_objection", "public_notice_entry", "public_notice"):
        op.drop_table(table)
    for function in (
        "public_notices_up(bigint, bigint)", "public_notice_rows(bigint)",
        "object_to_notice(bigint, bigint, bigint, text, bytea, bytea, bytea, bytea)",
        "objection_by_code(bytea[])", "objection_decided()", "notice_over()", "noticed_by(bigint)",
    ):  # fmt: skip
        op.execute(f"DROP FUNCTION {function}")
