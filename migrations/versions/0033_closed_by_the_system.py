"""办结 by the system alone: no desk ends an appeal or a payment before it is due."""

from alembic import op

revision = "0033"
down_revision = "0032"


def upgrade() -> None:
    _seat("system")


def downgrade() -> None:
    _seat("system_or_county")


def _seat(seat: str) -> None:
    op.execute("ALTER TABLE application_move DISABLE TRIGGER application_move_kept")
    op.execute(f"UPDATE application_move SET seat = '{seat}' WHERE deed = 'close'")
    op.execute("ALTER TABLE application_move ENABLE TRIGGER application_move_kept")
