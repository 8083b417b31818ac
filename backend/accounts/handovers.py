"""移交 (handover): all people and tasks of somebody who leaves, at once, in one transaction.

Work lies in lists of a role and a place, so it follows the duty; nothing is left to nobody. What
people delegated to the leaver passes on where the text that they agreed to says so, else it ends;
they hear of it either way.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, ClassVar, Final

from sqlalchemy import Row, func, select, text, update
from sqlalchemy.orm import Session

from backend.accounts.consent_texts import consent_texts
from backend.accounts.consents import DELEGATION_PURPOSE
from backend.accounts.duties import NewDuty, area_code, duties_of, grant_duty, revoke_duties
from backend.accounts.sessions import end_sessions_of_staff
from backend.accounts.staff_admin import staff_of
from backend.accounts.staff_tables import DUTY, HANDOVER, STAFF
from backend.citizens.assignments import reassign
from backend.kernel import audit
from backend.kernel.audit import Subject
from backend.kernel.errors import DomainError, Fault
from backend.kernel.row_ids import NEXT_ID
from backend.worklist.notices import Notice, notices_due
from backend.worklist.tables import WORK_ITEM

_SAME: Final = "请把工作移交给另一位在用的人员。"
_DELEGATIONS: Final = text(
    f"""
    WITH going AS (
        UPDATE delegation SET ended_at = now(), ended_by = :by
        WHERE staff_id = :leaver AND ended_at IS NULL AND to_on >= :today RETURNING *
    ), passing AS (
        INSERT INTO delegation (id, person_id, staff_id, scope, from_on, to_on, consent_id, channel,
                recorded_by)
            SELECT {NEXT_ID}, g.person_id, :successor, g.scope,
                greatest(g.from_on, :today), g.to_on, g.consent_id, g.channel, :by
            FROM going AS g JOIN consent AS c ON c.id = g.consent_id
            WHERE c.text_sha256 = ANY(:naming) AND consent_holds(c)
            RETURNING id, person_id, consent_id
    )
    SELECT id, person_id, true AS passed FROM passing
    UNION ALL SELECT id, person_id, false FROM going
        WHERE consent_id NOT IN (SELECT consent_id FROM passing)
    """
)


class SuccessorUnfit(DomainError):
    """The successor is the leaver, or has no account in use."""

    code: ClassVar[str] = "successor-unfit"


def hand_over(
    session: Session, leaver_no: str, successor_no: str, today: date, by: str
) -> Mapping[str, int]:
    """Hand everything of the leaver to the successor, whose account stays; the leaver's ends.

    Returns how many `duties`, `assignments`, `delegations` (of those that passed on) and open items
    in their lists (`work_items`). All or nothing; as `worker`. Raises `UnknownStaff`,
    `SuccessorUnfit`, and `DutiesNotApart` where the successor may not hold a duty of the leaver.
    """
    leaver, successor = staff_of(session, leaver_no), staff_of(session, successor_no)
    if leaver.id == successor.id or successor.state != "active":
        raise SuccessorUnfit(Fault("/to", _SAME))
    gone = revoke_duties(session, DUTY.c.staff_id == leaver.id, by)
    own = [row for row in gone if row.staff_id == leaver.id and row.deputy_for is None]
    counts = {
        "duties": len(own),
        "work_items": sum(_waiting(session, row) for row in own),
        "assignments": reassign(session, leaver_no, successor_no, today),
        "delegations": _delegations(session, leaver.id, successor.id, today, by),
    }
    for row in own:
        _take_duty(session, row, successor.id, today, by)
    session.execute(update(STAFF).where(STAFF.c.id == leaver.id).values(state="left"))
    end_sessions_of_staff(session, leaver.id, "revoked")
    _record(session, leaver.id, successor.id, counts, by)
    return counts


def _take_duty(session: Session, row: Row[Any], successor: int, today: date, by: str) -> None:
    """The same duty for the successor, but where it is held or over already."""
    area = area_code(row.area_from, row.area_to)
    held = {(duty.role, duty.area) for duty in duties_of(session, successor, today)}
    if (row.role, area) in held or (row.to_on is not None and row.to_on < today):
        return
    new = NewDuty(successor, row.role, area, max(row.from_on, today), row.to_on)
    grant_duty(session, new, by)


def _waiting(session: Session, row: Row[Any]) -> int:
    item = WORK_ITEM.c
    within = item.list_area.between(row.area_from, row.area_to)
    query = select(func.count()).where(item.role == row.role, item.state != "done", within)
    return int(session.execute(query).scalar_one())


def _delegations(session: Session, leaver: int, successor: int, today: date, by: str) -> int:
    """How many passed on."""
    naming = consent_texts().purposes[DELEGATION_PURPOSE].naming_successors
    values = {"leaver": leaver, "successor": successor, "today": today, "by": by}
    rows = session.execute(_DELEGATIONS, values | {"naming": list(naming)}).all()
    notices_due(session, [_told(row, today) for row in rows])
    return sum(row.passed for row in rows)


def _told(row: Row[Any], today: date) -> Notice:
    cause = f"delegation:{row.id}"
    if row.passed:
        return Notice(row.person_id, "delegated", cause, today)
    return Notice(row.person_id, "delegation_over", cause, today)


def _record(
    session: Session, leaver: int, successor: int, counts: Mapping[str, int], by: str
) -> None:
    values = {"from_staff_id": leaver, "to_staff_id": successor, "by": by, "counts": dict(counts)}
    session.execute(HANDOVER.insert().values(values))
    audit.record(
        session, actor=by, action="staff.hand_over", subject=Subject("staff", str(leaver)),
        detail={"to": successor, **counts},
    )  # fmt: skip
