"""在线申请: cases, their answers, steps and clocks; who decides, and how a case may move."""

import re
from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"

SCRIPT = Path(__file__).parents[1] / "sql" / "application_moves.sql"
STATES = {
    # state: (desk, over)
    "draft": ("applicant", False),
    "submitted": ("township_reviewer", False),
    "accepted": ("township_reviewer", False),
    "supplement": ("applicant", False),
    "helped": ("township_reviewer", False),
    "reviewed": ("county_officer", False),
    "noticed": ("county_officer", False),
    "granted": ("system", False),
    "paid": ("system", False),
    "closed": ("", True),
    "withdrawn": ("", True),
    "refused": ("system", False),
    "appealed": ("county_officer", False),
    "revoking": ("county_officer", False),
    "revoked": ("", True),
}
DECIDED = ["review", "approve", "refuse", "help", "file"]
# deed, from, to, seat, given, apart
MOVES = (
    ("submit", "draft", "submitted", "applicant", "", []),
    ("discard", "draft", "withdrawn", "applicant", "", []),
    *(("withdraw", state, "withdrawn", "applicant", "", [])
      for state in ("submitted", "accepted", "supplement", "reviewed", "noticed")),
    ("accept", "submitted", "accepted", "township", "", []),
    *(("ask", state, "supplement", "township", "", [])
      for state in ("submitted", "accepted", "reviewed")),
    ("supply", "supplement", "accepted", "applicant", "", []),
    ("lapse", "supplement", "withdrawn", "system", "", []),
    ("expire", "draft", "withdrawn", "system", "", []),
    ("file", "accepted", "granted", "township", "filing", []),
    ("help", "accepted", "helped", "county", "fast_lane", ["accept"]),
    ("review", "accepted", "reviewed", "township", "", []),
    ("review", "helped", "reviewed", "township", "", ["help"]),
    ("return", "reviewed", "accepted", "county", "", []),
    ("approve", "reviewed", "granted", "county", "no_notice", ["review", "help", "refuse"]),
    ("approve", "reviewed", "noticed", "county", "notice", ["review", "help", "refuse"]),
    ("refuse", "reviewed", "refused", "county", "", ["review", "help", "refuse"]),
    ("confirm", "noticed", "granted", "system_or_county", "", ["review"]),
    ("stop", "noticed", "reviewed", "county", "", []),
    ("appeal", "refused", "appealed", "applicant", "", []),
    ("overturn", "appealed", "accepted", "county", "", DECIDED),
    ("uphold", "appealed", "closed", "county", "", DECIDED),
    ("pay", "granted", "paid", "system", "", []),
    *(("close", state, "closed", "system_or_county", "", [])
      for state in ("granted", "paid", "refused")),
    *(("propose", state, "revoking", "township", "", [])
      for state in ("helped", "granted", "paid", "closed")),
    ("revoke", "revoking", "revoked", "county", "", ["propose"]),
    *(("keep", "revoking", state, "county", "back", ["propose"])
      for state in ("helped", "granted", "paid", "closed")),
    *(("escalate", state, state, "system", "", [])
      for state in ("submitted", "accepted", "helped", "reviewed", "noticed", "appealed",
                    "revoking")),
)  # fmt: skip
DECIDERS = "('township_reviewer', 'county_officer', 'city_officer')"
OWN = (
    "person_id = ANY ((SELECT same_people(authority_over('see') || authority_over('apply')))"
    "::bigint[])"
)
MAY_APPLY = "person_id = ANY ((SELECT same_people(authority_over('apply')))::bigint[])"
AT_DESK = "state <> 'draft' AND area >= (SELECT scope_low()) AND area <= (SELECT scope_high())"
OF_CASE = "EXISTS (SELECT FROM application AS a WHERE a.id = {}.application_id)"
APPLICANTS = (
    "EXISTS (SELECT FROM application AS a WHERE a.id = {}.application_id"
    " AND a.state IN ('draft', 'supplement') AND a." + MAY_APPLY + ")"
)
OF_SITE = (
    "sits", "case_by_code", "hand_over_case", "concerned_in", "household_known",
    "applicant_number",
)  # fmt: skip
GRANTS = (
    "SELECT, INSERT ON application, application_answer, application_step, application_clock",
    "SELECT, INSERT ON application_recusal",
    "SELECT, INSERT, DELETE ON application_claim",
    "SELECT ON application_move, application_state",
    "UPDATE (category, subject, fast_lane, filing, notice, policy, expected, expected_told,"
    " code, code_index) ON application",
    "UPDATE (value, version, source, by, at) ON application_answer",
    "UPDATE (working_days, due_on, provisional, stopped_on, ended_on) ON application_clock",
)


def _moment(name: str, *, now: bool = False) -> sa.Column:
    default = sa.text("now()") if now else None
    return sa.Column(name, sa.DateTime(timezone=True), nullable=not now, server_default=default)


def _sealed(name: str) -> sa.Column:
    return sa.Column(name, sa.LargeBinary(), server_default=sa.text("''::bytea"), nullable=False)


def _text(name: str, default: str | None = None) -> sa.Column:
    return sa.Column(name, sa.Text(), server_default=default, nullable=False)


def _flag(name: str) -> sa.Column:
    return sa.Column(name, sa.Boolean(), server_default=sa.text("false"), nullable=False)


def _refers(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=f"fk_{table}_{column}_{to}")


def _id(name: str, *, optional: bool = False) -> sa.Column:
    return sa.Column(name, sa.BigInteger(), nullable=optional, autoincrement=False)


def upgrade() -> None:
    _create_moves()
    _create_cases()
    _create_of_cases()
    _create_people_of_cases()
    _create_functions()
    _create_triggers()
    _create_policies()
    for grant in GRANTS:
        op.execute(f"GRANT {grant} TO shukun_app")


def _create_moves() -> None:
    op.create_table(
        "application_state",
        _text("state"), _text("desk"), sa.Column("over", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("state", name="pk_application_state"),
    )  # fmt: skip
    op.create_table(
        "application_move",
        _text("deed"), _text("from_state"), _text("to_state"), _text("seat"), _text("given"),
        sa.Column("apart", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("deed", "from_state", "to_state", name="pk_application_move"),
        sa.CheckConstraint(
            "seat IN ('applicant', 'township', 'county', 'system', 'system_or_county')",
            name="ck_application_move_seat_known",
        ),
    )  # fmt: skip
    for state, (desk, over) in STATES.items():
        op.execute(f"INSERT INTO application_state VALUES ('{state}', '{desk}', {over})")
    for *names, apart in MOVES:
        values = ", ".join(f"'{name}'" for name in names)
        op.execute(f"INSERT INTO application_move VALUES ({values}, '{{{','.join(apart)}}}')")


def _create_cases() -> None:
    op.create_table(
        "application",
        _id("id"), _id("person_id"), _id("area"), _text("kind"), _text("policy"),
        _text("category", ""), _text("subject", ""), _text("state", "draft"),
        sa.Column("seq", sa.Integer(), server_default=sa.text("0"), nullable=False),
        _text("desk", "applicant"),
        sa.Column("raised", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        _text("proposal", ""), _id("resident_id", optional=True), _id("staff_id", optional=True),
        _text("capacity"), _text("client_key"), _flag("fast_lane"), _flag("filing"),
        _flag("notice"), sa.Column("expected", sa.BigInteger(), nullable=True),
        _sealed("expected_told"), _sealed("code"), _sealed("code_index"),
        _moment("begun_at", now=True), _moment("submitted_at"), _moment("ended_at"),
        sa.PrimaryKeyConstraint("id", name="pk_application"),
        _refers("application", "person_id", "person"),
        _refers("application", "resident_id", "resident"),
        _refers("application", "staff_id", "staff"),
        sa.ForeignKeyConstraint(
            ["state"], ["application_state.state"], name="fk_application_state_application_state"
        ),
        sa.CheckConstraint(
            "num_nonnulls(resident_id, staff_id) = 1", name="ck_application_begun_by_somebody"
        ),
        sa.CheckConstraint(
            "capacity IN ('self', 'family', 'delegate')", name="ck_application_capacity_known"
        ),
        sa.CheckConstraint("expected >= 0", name="ck_application_expected_not_negative"),
    )  # fmt: skip
    going = sa.text("state NOT IN ('draft', 'closed', 'withdrawn', 'revoked', 'refused')")
    op.create_index(
        "uq_application_one_going", "application", ["person_id", "kind", "subject"],
        unique=True, postgresql_where=going,
    )  # fmt: skip
    op.create_index(
        "uq_application_client_key", "application",
        [sa.text("coalesce(resident_id, 0)"), sa.text("coalesce(staff_id, 0)"), "client_key"],
        unique=True,
    )  # fmt: skip
    op.create_index(
        "uq_application_code_index", "application", ["code_index"],
        unique=True, postgresql_where=sa.text("code_index <> ''"),
    )  # fmt: skip
    op.create_index(
        "ix_application_desk_area", "application", ["desk", "area", "id"],
        postgresql_where=sa.text("ended_at IS NULL"),
    )  # fmt: skip
    for column in ("area", "person_id", "resident_id", "staff_id"):
        op.create_index(f"ix_application_{column}", "application", [column])


def _create_of_cases() -> None:
    op.create_table(
        "application_answer",
        _id("id"), _id("application_id"), _text("field"), _sealed("value"),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        _text("source"), _text("by"), _moment("at", now=True),
        sa.PrimaryKeyConstraint("id", name="pk_application_answer"),
        _refers("application_answer", "application_id", "application"),
        sa.UniqueConstraint(
            "application_id", "field", name="uq_application_answer_application_id_field"
        ),
        sa.CheckConstraint(
            "source IN ('applicant', 'register')", name="ck_application_answer_source_known"
        ),
    )  # fmt: skip
    op.create_table(
        "application_step",
        _id("id"), _id("application_id"), sa.Column("seq", sa.Integer(), nullable=False),
        _text("deed"), _text("from_state"), _text("to_state"), _text("proposal", ""),
        _text("reason", ""), _sealed("note"), _text("by"), _text("role", ""),
        _id("staff_id", optional=True), _id("resident_id", optional=True),
        _moment("at", now=True),
        sa.PrimaryKeyConstraint("id", name="pk_application_step"),
        sa.UniqueConstraint(
            "application_id", "seq", name="uq_application_step_application_id_seq"
        ),
        _refers("application_step", "application_id", "application"),
        sa.ForeignKeyConstraint(
            ["deed", "from_state", "to_state"],
            ["application_move.deed", "application_move.from_state", "application_move.to_state"],
            name="fk_application_step_deed_application_move",
        ),
        sa.CheckConstraint(
            "proposal IN ('', 'grant', 'refuse')", name="ck_application_step_proposal_known"
        ),
    )  # fmt: skip
    op.create_table(
        "application_clock",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        _id("application_id"), _text("clock"), sa.Column("started_on", sa.Date(), nullable=False),
        sa.Column("working_days", sa.Integer(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.Column("stopped_on", sa.Date(), nullable=True),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_application_clock"),
        _refers("application_clock", "application_id", "application"),
        sa.CheckConstraint("working_days >= 0", name="ck_application_clock_days_counted"),
    )  # fmt: skip
    op.create_index(
        "uq_application_clock_running", "application_clock", ["application_id", "clock"],
        unique=True, postgresql_where=sa.text("ended_on IS NULL"),
    )  # fmt: skip
    op.create_index(
        "ix_application_clock_due_on", "application_clock", ["due_on"],
        postgresql_where=sa.text("ended_on IS NULL AND stopped_on IS NULL"),
    )  # fmt: skip
    op.create_index("ix_application_step_staff_id", "application_step", ["staff_id"])


def _create_people_of_cases() -> None:
    op.create_table(
        "application_claim",
        _id("application_id"), _id("staff_id"), _id("duty_id"), _moment("at", now=True),
        sa.PrimaryKeyConstraint("application_id", name="pk_application_claim"),
        _refers("application_claim", "application_id", "application"),
        _refers("application_claim", "staff_id", "staff"),
        _refers("application_claim", "duty_id", "duty"),
    )  # fmt: skip
    op.create_index("ix_application_claim_staff_id", "application_claim", ["staff_id"])
    op.create_table(
        "application_recusal",
        _id("application_id"), _id("staff_id"), _moment("at", now=True),
        sa.PrimaryKeyConstraint("application_id", "staff_id", name="pk_application_recusal"),
        _refers("application_recusal", "application_id", "application"),
        _refers("application_recusal", "staff_id", "staff"),
    )  # fmt: skip
    op.create_table(
        "staff_person",
        _id("staff_id"), _id("person_id"), _text("recorded_by"), _moment("at", now=True),
        sa.PrimaryKeyConstraint("staff_id", name="pk_staff_person"),
        _refers("staff_person", "staff_id", "staff"),
        _refers("staff_person", "person_id", "person"),
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
        op.execute(f"GRANT EXECUTE ON FUNCTION {name} TO shukun_worker")
        if name in OF_SITE:
            op.execute(f"GRANT EXECUTE ON FUNCTION {name} TO shukun_app")
        op.execute(f"ALTER FUNCTION {name} OWNER TO shukun_worker")
    op.execute("REVOKE CREATE ON SCHEMA public FROM shukun_worker")


def _create_triggers() -> None:
    for name, when, table, function in (
        ("step_1_of_session", "BEFORE INSERT", "application_step", "step_of_session"),
        ("step_2_checked", "BEFORE INSERT", "application_step", "check_step"),
        ("step_3_taken", "AFTER INSERT", "application_step", "take_step"),
        ("application_by_steps", "BEFORE INSERT OR UPDATE", "application", "only_by_steps"),
        ("answers_open", "BEFORE INSERT OR UPDATE", "application_answer", "answers_open"),
    ):
        op.execute(
            f"CREATE TRIGGER {name} {when} ON {table} FOR EACH ROW EXECUTE FUNCTION {function}()"
        )
    for table, what in (
        ("application_step", "DELETE OR TRUNCATE"),
        ("application_recusal", "UPDATE OR DELETE OR TRUNCATE"),
        ("application", "DELETE OR TRUNCATE"),
        ("application_move", "INSERT OR UPDATE OR DELETE OR TRUNCATE"),
        ("application_state", "INSERT OR UPDATE OR DELETE OR TRUNCATE"),
    ):
        op.execute(
            f"CREATE TRIGGER {table}_kept BEFORE {what} ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION forbid_change()"
        )
    # Other keys alone: a sealed note is sealed anew when keys change.
    op.execute(
        "CREATE TRIGGER application_step_append_only BEFORE UPDATE OF application_id, seq, deed,"
        " from_state, to_state, proposal, reason, by, role, staff_id, resident_id, at"
        " ON application_step FOR EACH STATEMENT EXECUTE FUNCTION forbid_change()"
    )


def _create_policies() -> None:
    seen = {
        "application": f"({OWN}) OR ({AT_DESK})",
        "application_answer": OF_CASE.format("application_answer"),
        "application_step": OF_CASE.format("application_step"),
        "application_clock": OF_CASE.format("application_clock"),
        "application_claim": OF_CASE.format("application_claim"),
        "application_recusal": "staff_id = (SELECT scope_staff())",
        "staff_person": "staff_id = (SELECT scope_staff())",
    }
    for table, rows in seen.items():
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY seen ON {table} FOR SELECT TO shukun_app USING ({rows})")
    begun = (
        f"{MAY_APPLY} AND (resident_id = (SELECT scope_resident())"
        " OR staff_id = (SELECT scope_staff()))"
    )
    of_desk = (
        "staff_id = (SELECT scope_staff()) AND EXISTS (SELECT FROM application AS a"
        " WHERE a.id = application_claim.application_id AND a.desk = (SELECT scope_role())"
        " AND a.area >= (SELECT scope_low()) AND a.area <= (SELECT scope_high()))"
        " AND NOT concerned_in(application_id, staff_id)"
    )
    for name, statement in (
        ("begun ON application FOR INSERT", f"WITH CHECK ({begun})"),
        ("changed ON application FOR UPDATE", f"USING ({MAY_APPLY})"),
        ("given ON application_answer FOR INSERT",
         f"WITH CHECK ({APPLICANTS.format('application_answer')})"),
        ("changed ON application_answer FOR UPDATE",
         f"USING ({APPLICANTS.format('application_answer')})"),
        ("made ON application_step FOR INSERT",
         f"WITH CHECK ({OF_CASE.format('application_step')})"),
        ("started ON application_clock FOR INSERT",
         f"WITH CHECK ({OF_CASE.format('application_clock')})"),
        ("changed ON application_clock FOR UPDATE",
         f"USING ({OF_CASE.format('application_clock')})"),
        ("claimed ON application_claim FOR INSERT", f"WITH CHECK ({of_desk})"),
        ("released ON application_claim FOR DELETE", "USING (staff_id = (SELECT scope_staff()))"),
        ("said ON application_recusal FOR INSERT",
         f"WITH CHECK (staff_id = (SELECT scope_staff())"
         f" AND {OF_CASE.format('application_recusal')})"),
    ):  # fmt: skip
        op.execute(f"CREATE POLICY {name} TO shukun_app {statement}")


def downgrade() -> None:
    for table in ("staff_person", "application_recusal", "application_claim", "application_clock",
                  "application_step", "application_answer"):  # fmt: skip
        op.drop_table(table)
    for function in (
        "sits(bigint, text, text, text)", "case_by_code(bytea[])", "household_known(bigint)",
        "applicant_number(bigint)",
        "hand_over_case(bigint, text)", "concerned_in(bigint, bigint)",
        "step_of_session()", "check_step()", "take_step()",
        "answers_open()", "desk_of(text, bigint, integer)",
    ):  # fmt: skip
        op.execute(f"DROP FUNCTION {function}")
    op.drop_table("application")
    op.execute("DROP FUNCTION only_by_steps()")
    op.drop_table("application_move")
    op.drop_table("application_state")
