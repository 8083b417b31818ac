"""What the audit says, and somebody for it to say it of."""

from typing import Final

from sqlalchemy import text

from backend.kernel.audit import Operator
from backend.kernel.database import transaction

CLERK: Final = Operator("测试员")
"""Who runs commands in tests."""


def audited(actor: str) -> list[tuple[str, str]]:
    """Deed and subject of everything a person did, in their order."""
    query = text("SELECT action, subject_id FROM audit_event WHERE actor = :actor ORDER BY id")
    with transaction() as session:
        return [(row.action, row.subject_id) for row in session.execute(query, {"actor": actor})]
