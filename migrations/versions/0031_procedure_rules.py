"""流程规定: what procedures say of cases and their periods, for the database to compare with."""

import re
from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"

SCRIPT = Path(__file__).parents[1] / "sql" / "procedure_rules.sql"
TURNS = {
    # deed: the periods that it starts
    "submit": ["first_review"],
    "accept": ["approval"],
    "ask": ["supplement"],
    "supply": ["first_review", "approval"],
    "help": ["papers_owed"],
    "return": ["first_review"],
    "approve": ["notice"],
    "stop": ["approval"],
    "refuse": ["appeal"],
    "appeal": ["appeal_review"],
    "overturn": ["first_review", "approval"],
    "propose": ["revocation"],
}
TRIGGERS = (
    ("application_by_rule", "INSERT OR UPDATE OF policy, kind, filing, notice, fast_lane",
     "application"),
    ("clock_by_rule", "INSERT OR UPDATE", "application_clock"),
)  # fmt: skip
TABLES = ("procedure_turn", "procedure_period", "procedure_rule")


def _text(name: str) -> sa.Column:
    return sa.Column(name, sa.Text(), nullable=False)


def _flag(name: str) -> sa.Column:
    return sa.Column(name, sa.Boolean(), nullable=False)


def upgrade() -> None:
    op.create_table(
        "procedure_rule",
        _text("policy"), _text("kind"), _flag("filing"), _flag("notice"), _flag("fast_lane"),
        sa.Column("keep_years", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("policy", "kind", name="pk_procedure_rule"),
    )  # fmt: skip
    op.create_table(
        "procedure_period",
        _text("policy"), _text("kind"), _text("clock"),
        sa.Column("days", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("policy", "kind", "clock", "days", name="pk_procedure_period"),
    )  # fmt: skip
    op.create_table(
        "procedure_turn",
        _text("deed"), _text("clock"),
        sa.PrimaryKeyConstraint("deed", "clock", name="pk_procedure_turn"),
    )  # fmt: skip
    for deed, clocks in TURNS.items():
        for clock in clocks:
            op.execute(f"INSERT INTO procedure_turn VALUES ('{deed}', '{clock}')")
    op.execute(
        "CREATE TRIGGER procedure_turn_kept BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE"
        " ON procedure_turn FOR EACH STATEMENT EXECUTE FUNCTION forbid_change()"
    )
    for table in TABLES:
        op.execute(f"GRANT SELECT ON {table} TO shukun_app")
    for statement in SCRIPT.read_text(encoding="utf-8").split("$$;\n"):
        if re.search(r"CREATE FUNCTION (\w+)", statement) is not None:
            op.execute(f"{statement}$$")
    for name, when, table in TRIGGERS:
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {when} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()"
        )


def downgrade() -> None:
    for name, _, table in TRIGGERS:
        op.execute(f"DROP TRIGGER {name} ON {table}")
        op.execute(f"DROP FUNCTION {name}()")
    for table in TABLES:
        op.drop_table(table)
