"""重新征求同意 (consent floor): tells the database from which versions on consents hold.

The database decides whom delegates and guardians see, `consents.yaml` which texts still count. Told
by every process that starts as `worker`; only ever raised, since an older release may start later.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from backend.accounts.consent_texts import Purpose
from backend.kernel import audit
from backend.kernel.audit import Operator, Subject
from backend.worklist.notices import Notice, notices_due

BY: Final = Operator("system")
EVENT: Final = "consent_again"
_RAISE: Final = text(
    """
    INSERT INTO consent_floor AS f (purpose, version) VALUES (:purpose, :version)
    ON CONFLICT (purpose) DO UPDATE SET version = :version, raised_at = now()
        WHERE f.version < :version
    RETURNING version
    """
)
_GIVEN: Final = text(
    """
    SELECT DISTINCT person_now(c.person_id) AS id FROM consent AS c
    WHERE c.purpose = :purpose AND c.version < :version
        AND NOT EXISTS (SELECT FROM consent_withdrawal AS w WHERE w.consent_id = c.id)
    ORDER BY id
    """
)


def raise_floors(session: Session, purposes: Mapping[str, Purpose], today: date) -> list[str]:
    """Let no consent hold from before its purpose's `holds_from`; returns the purposes for which
    that is new. What rested on such consents is over at once; whom something was done for hears
    that they are asked again. As `worker`.
    """
    return [
        code
        for code, purpose in purposes.items()
        if purpose.holds_from > 1 and _raised(session, code, purpose, today)
    ]


def _raised(session: Session, code: str, purpose: Purpose, today: date) -> bool:
    asked = {"purpose": code, "version": purpose.holds_from}
    if session.execute(_RAISE, asked).first() is None:
        return False
    audit.deed(
        session, BY, "consent.raise", Subject("consent_text", code), version=purpose.holds_from
    )
    if not purpose.alone:
        cause = f"consent:{code}:{purpose.holds_from}"
        people = session.scalars(_GIVEN, asked).all()
        notices_due(session, [Notice(one, EVENT, cause, today) for one in people])
    return True
