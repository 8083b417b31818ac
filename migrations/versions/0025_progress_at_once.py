"""进度: session, limit, audit and timeline by one statement; a hit counted by a function."""

from pathlib import Path

from alembic import op

revision = "0025"
down_revision = "0024"

SCRIPT = Path(__file__).parents[1] / "sql" / "progress_at_once.sql"
COUNT = "count_hit(bytea, integer, integer, integer)"
AT_ONCE = "progress_at_once(text, bigint)"


def upgrade() -> None:
    # Owned by the role that sees every row; to own them it must be allowed to create, just now.
    op.execute("GRANT CREATE ON SCHEMA public TO shukun_worker")
    for statement in SCRIPT.read_text(encoding="utf-8").split("$$;\n"):
        if "CREATE FUNCTION" in statement:
            op.execute(f"{statement}$$")
    for function in (COUNT, AT_ONCE):
        op.execute(f"REVOKE EXECUTE ON FUNCTION {function} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {function} TO shukun_app")
    op.execute(f"ALTER FUNCTION {AT_ONCE} OWNER TO shukun_worker")
    op.execute("REVOKE CREATE ON SCHEMA public FROM shukun_worker")


def downgrade() -> None:
    op.execute(f"DROP FUNCTION {AT_ONCE}")
    op.execute(f"DROP FUNCTION {COUNT}")
