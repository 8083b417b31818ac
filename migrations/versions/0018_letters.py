"""承诺书: letters, their parts, their steps; what a letter may become, and by whom."""

import re
from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0018"
down_revision = "0017"

SCRIPT = Path(__file__).parents[1] / "sql" / "letter_moves.sql"
OPEN = ("drafted", "presented", "identity_ok")
STANDING = ("signed", "sealed", "delivered")
MOVES = (
    ("present", "drafted", "presented", "applicant"),
    ("identify", "presented", "identity_ok", "applicant"),
    ("open", "identity_ok", "identity_ok", "applicant"),
    ("read", "identity_ok", "identity_ok", "applicant"),
    ("sign", "identity_ok", "signed", "applicant"),
    ("seal", "signed", "sealed", "system"),
    ("deliver", "sealed", "delivered", "applicant"),
    ("refuse", "presented", "refused", "applicant"),
    ("refuse", "identity_ok", "refused", "applicant"),
    *(("expire", state, "expired", "applicant_or_system") for state in OPEN),
    *(("revoke", state, "revoked", "applicant_or_staff") for state in STANDING),
)
OF_SITE = ("letter_seated", "key_of_letter", "letter_by_code", "own_identity_method")
TABLES = ("letter", "letter_part", "letter_event")
OF_CASE = "EXISTS (SELECT FROM application AS a WHERE a.id = letter.application_id{})"
MAY_APPLY = " AND a.person_id = ANY ((SELECT same_people(authority_over('apply')))::bigint[])"
OF_LETTER = "EXISTS (SELECT FROM letter AS l WHERE l.id = {}.letter_id)"
SAME = (
    " AND a.person_id = letter.person_id AND a.area = letter.area"
    " AND a.state IN ('draft', 'supplement')"
)
POLICIES = (
    ("seen ON letter FOR SELECT", f"USING ({OF_CASE.format('')})"),
    ("made ON letter FOR INSERT", f"WITH CHECK ({OF_CASE.format(SAME + MAY_APPLY)})"),
    ("seen ON letter_part FOR SELECT", f"USING ({OF_LETTER.format('letter_part')})"),
    (
        "made ON letter_part FOR INSERT",
        f"WITH CHECK (part NOT IN ('sealed', 'evidence') AND {OF_LETTER.format('letter_part')})",
    ),
    ("seen ON letter_event FOR SELECT", f"USING ({OF_LETTER.format('letter_event')})"),
    ("made ON letter_event FOR INSERT", f"WITH CHECK ({OF_LETTER.format('letter_event')})"),
)
KEPT = (
    ("letter", "DELETE OR TRUNCATE"),
    ("letter_part", "UPDATE OR DELETE OR TRUNCATE"),
    ("letter_event", "UPDATE OR DELETE OR TRUNCATE"),
    ("letter_move", "INSERT OR UPDATE OR DELETE OR TRUNCATE"),
)
TRIGGERS = (
    ("letter_by_events", "BEFORE INSERT OR UPDATE", "letter", "letter_only_by_events"),
    ("letter_part_in_turn", "BEFORE INSERT", "letter_part", "letter_part_in_turn"),
    ("event_1_of_session", "BEFORE INSERT", "letter_event", "letter_event_of_session"),
    ("event_2_checked", "BEFORE INSERT", "letter_event", "check_letter_event"),
    ("event_3_taken", "AFTER INSERT", "letter_event", "take_letter_event"),
)


def _text(name: str, default: str | None = None) -> sa.Column:
    return sa.Column(name, sa.Text(), server_default=default, nullable=False)


def _id(name: str, *, optional: bool = False) -> sa.Column:
    return sa.Column(name, sa.BigInteger(), autoincrement=False, nullable=optional)


def _bytes(name: str) -> sa.Column:
    return sa.Column(name, sa.LargeBinary(), nullable=False)


def _number(name: str, default: str | None = None) -> sa.Column:
    given = None if default is None else sa.text(default)
    return sa.Column(name, sa.Integer(), server_default=given, nullable=False)


def _now(name: str) -> sa.Column:
    return sa.Column(
        name, sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
    )


def _refers(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=f"fk_{table}_{column}_{to}")


def upgrade() -> None:
    _create_moves()
    _create_letter()
    _create_of_letter()
    _create_functions()
    for name, when, table, function in TRIGGERS:
        op.execute(
            f"CREATE TRIGGER {name} {when} ON {table} FOR EACH ROW EXECUTE FUNCTION {function}()"
        )
    for table, what in KEPT:
        op.execute(
            f"CREATE TRIGGER {table}_kept BEFORE {what} ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION forbid_change()"
        )
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"GRANT SELECT, INSERT ON {table} TO shukun_app")
    op.execute("GRANT SELECT ON letter_move TO shukun_app")
    for name, statement in POLICIES:
        op.execute(f"CREATE POLICY {name} TO shukun_app {statement}")


def _create_moves() -> None:
    op.create_table(
        "letter_move",
        _text("deed"), _text("from_state"), _text("to_state"), _text("seat"),
        sa.PrimaryKeyConstraint("deed", "from_state", "to_state", name="pk_letter_move"),
        sa.CheckConstraint(
            "seat IN ('applicant', 'system', 'applicant_or_system', 'applicant_or_staff')",
            name="ck_letter_move_seat_known",
        ),
    )  # fmt: skip
    for move in MOVES:
        values = ", ".join(f"'{name}'" for name in move)
        op.execute(f"INSERT INTO letter_move VALUES ({values})")


def _create_letter() -> None:
    op.create_table(
        "letter",
        _id("id"), _id("application_id"), _id("person_id"), _id("area"), _text("template"),
        _number("version"), _text("size"), _text("code"),
        sa.Column("day", sa.Date(), nullable=False),
        _text("state", "drafted"), _number("seq", "0"), _bytes("subject_sha256"),
        _bytes("content_sha256"), _bytes("document_sha256"), _bytes("nonce"),
        _id("supersedes_id", optional=True), _now("made_at"),
        sa.PrimaryKeyConstraint("id", name="pk_letter"),
        _refers("letter", "application_id", "application"),
        _refers("letter", "person_id", "person"),
        _refers("letter", "supersedes_id", "letter"),
        sa.UniqueConstraint("code", name="uq_letter_code"),
        sa.CheckConstraint("size IN ('normal', 'large')", name="ck_letter_size_known"),
        sa.CheckConstraint(
            "octet_length(subject_sha256) = 32 AND octet_length(content_sha256) = 32"
            " AND octet_length(document_sha256) = 32 AND octet_length(nonce) = 32",
            name="ck_letter_hashes_whole",
        ),
    )  # fmt: skip
    still_open = sa.text("state IN ('drafted', 'presented', 'identity_ok')")
    op.create_index(
        "uq_letter_one_open", "letter", ["application_id", "template"],
        unique=True, postgresql_where=still_open,
    )  # fmt: skip
    op.create_index("ix_letter_day_open", "letter", ["day"], postgresql_where=still_open)
    for column in ("application_id", "person_id", "supersedes_id"):
        op.create_index(f"ix_letter_{column}", "letter", [column])


def _create_of_letter() -> None:
    op.create_table(
        "letter_part",
        _id("id"), _id("letter_id"), _text("part"), _bytes("body"), _bytes("sha256"), _now("at"),
        sa.PrimaryKeyConstraint("id", name="pk_letter_part"),
        _refers("letter_part", "letter_id", "letter"),
        sa.UniqueConstraint("letter_id", "part", name="uq_letter_part_letter_id_part"),
        sa.CheckConstraint(
            "part IN ('content', 'document', 'signature', 'will', 'sealed', 'evidence')",
            name="ck_letter_part_part_known",
        ),
    )  # fmt: skip
    # Ciphertext is not compressed, and read whole.
    op.execute("ALTER TABLE letter_part ALTER COLUMN body SET STORAGE EXTERNAL")
    op.create_table(
        "letter_event",
        _id("id"), _id("letter_id"), _number("seq"), _text("deed"), _text("from_state"),
        _text("to_state"), _text("by"), _text("role", ""), _id("staff_id", optional=True),
        _id("resident_id", optional=True), _now("at"),
        sa.Column("detail", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_letter_event"),
        _refers("letter_event", "letter_id", "letter"),
        sa.UniqueConstraint("letter_id", "seq", name="uq_letter_event_letter_id_seq"),
        sa.ForeignKeyConstraint(
            ["deed", "from_state", "to_state"],
            ["letter_move.deed", "letter_move.from_state", "letter_move.to_state"],
            name="fk_letter_event_deed_letter_move",
        ),
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


def downgrade() -> None:
    op.drop_table("letter_event")
    op.drop_table("letter_part")
    for function in (
        "letter_seated(bigint, text, text, text)", "key_of_letter(bigint)",
        "letter_by_code(text)", "own_identity_method()", "letter_event_of_session()",
        "check_letter_event()", "take_letter_event()", "letter_part_in_turn()",
    ):  # fmt: skip
        op.execute(f"DROP FUNCTION {function}")
    op.drop_table("letter")
    op.execute("DROP FUNCTION letter_only_by_events()")
    op.drop_table("letter_move")
