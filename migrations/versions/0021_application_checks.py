"""自动核查: what the register knows for cases at a desk, as counts and sums."""

import re
from pathlib import Path

from alembic import op

revision = "0021"
down_revision = "0020"

SCRIPT = Path(__file__).parents[1] / "sql" / "application_checks.sql"
OF_SITE = ("checked_facts",)


def upgrade() -> None:
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


def downgrade() -> None:
    op.execute("DROP FUNCTION checked_facts(bigint[], date)")
    op.execute("DROP FUNCTION left_of_bill(bill)")
