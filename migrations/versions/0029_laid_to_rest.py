"""保存年限: how long a case is kept after its end; what is left of it then."""

import re
from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"

SCRIPT = Path(__file__).parents[1] / "sql" / "laid_to_rest.sql"
TRIGGERS = (
    ("rest_1_due", "BEFORE INSERT", "application_rested", "rest_due"),
    ("rest_2_taken", "AFTER INSERT", "application_rested", "rest_taken"),
    ("letter_part_gone", "BEFORE DELETE", "letter_part", "letter_part_kept"),
    ("answer_gone", "BEFORE DELETE", "application_answer", "answer_kept"),
    ("step_2_not_at_rest", "BEFORE INSERT", "application_step", "step_not_at_rest"),
)


def upgrade() -> None:
    years = sa.Column("keep_years", sa.SmallInteger(), server_default="10", nullable=False)
    op.add_column("application", years)
    op.create_table(
        "application_rested",
        sa.Column("application_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column(
            "at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("application_id", name="pk_application_rested"),
        sa.ForeignKeyConstraint(
            ["application_id"], ["application.id"],
            name="fk_application_rested_application_id_application",
        ),
    )  # fmt: skip
    op.execute("ALTER TABLE application_rested ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE application_rested FORCE ROW LEVEL SECURITY")
    _create_functions()
    op.execute("DROP TRIGGER letter_part_kept ON letter_part")
    _forbid("letter_part", "UPDATE OR TRUNCATE")
    _forbid("application_rested", "UPDATE OR DELETE OR TRUNCATE")
    op.execute(
        "CREATE TRIGGER application_years_stay BEFORE UPDATE OF keep_years ON application"
        " FOR EACH STATEMENT EXECUTE FUNCTION forbid_change()"
    )
    for name, when, table, function in TRIGGERS:
        op.execute(
            f"CREATE TRIGGER {name} {when} ON {table} FOR EACH ROW EXECUTE FUNCTION {function}()"
        )


def _forbid(table: str, what: str) -> None:
    op.execute(
        f"CREATE TRIGGER {table}_kept BEFORE {what} ON {table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION forbid_change()"
    )


def _create_functions() -> None:
    # Owned by the role that sees every row; to own them it must be allowed to create, just now.
    op.execute("GRANT CREATE ON SCHEMA public TO shukun_worker")
    for statement in SCRIPT.read_text(encoding="utf-8").split("$$;\n"):
        found = re.search(r"CREATE FUNCTION (\w+)", statement)
        if found is None:
            continue
        op.execute(f"{statement}$$")
        op.execute(f"REVOKE EXECUTE ON FUNCTION {found[1]} FROM PUBLIC")
        op.execute(f"ALTER FUNCTION {found[1]} OWNER TO shukun_worker")
    op.execute("REVOKE CREATE ON SCHEMA public FROM shukun_worker")


def downgrade() -> None:
    for name, _, table, function in TRIGGERS:
        op.execute(f"DROP TRIGGER {name} ON {table}")
        op.execute(f"DROP FUNCTION {function}()")
    op.execute("DROP TRIGGER application_years_stay ON application")
    op.execute("DROP TRIGGER letter_part_kept ON letter_part")
    _forbid("letter_part", "UPDATE OR DELETE OR TRUNCATE")
    op.drop_table("application_rested")
    op.drop_column("application", "keep_years")
