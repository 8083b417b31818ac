"""撤销不受另一件在办的申请阻碍: a case that may be revoked is not going any more."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"

NAME = "uq_application_one_going"
OVER = "'closed', 'withdrawn', 'revoked', 'refused'"
# Made anew at once: submitting waits for a moment, and nothing comes in between.
DROP = f"-- squawk-ignore require-concurrent-index-deletion\nDROP INDEX {NAME}"


def upgrade() -> None:
    op.execute(DROP)
    _one_going(f"state NOT IN ('draft', 'revoking', {OVER})")


def downgrade() -> None:
    op.execute(DROP)
    _one_going(f"state NOT IN ('draft', {OVER})")


def _one_going(where: str) -> None:
    op.create_index(
        NAME, "application", ["person_id", "kind", "subject"],
        unique=True, postgresql_where=sa.text(where),
    )  # fmt: skip
