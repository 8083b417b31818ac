"""办结 (finishing): a granted case is paid when all it brought is paid, and closed after that.

Money: every run asked for is released, and what it entered for the person is with nobody any more.
An amount: the department has noted that it paid. What is brought in full by the effect itself ends
with it. One step a case each time it is looked at: people hear of each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from backend.applications import amounts
from backend.applications.cases import Case, case_of
from backend.applications.effect_tables import APPLICATION_EFFECT
from backend.applications.ground import Ground
from backend.applications.rematching import follow
from backend.applications.steps import SYSTEM, Circumstances, Step, take_step
from backend.applications.tables import APPLICATION
from backend.matching.ledger import EntryKind
from backend.payments.states import OPEN

EFFECT: Final = APPLICATION_EFFECT.c
AT_A_TIME: Final = 500
_MONEY: Final = [int(EntryKind.GRANT), int(EntryKind.TOP_UP)]
_RUNS: Final = text(
    """
    SELECT count(*) AS asked,
        count(*) FILTER (WHERE run.state = 'released') AS released
    FROM application_match AS asked LEFT JOIN match_run AS run ON run.id = asked.run_id
    WHERE asked.application_id = :case
    """
)
_ITEMS: Final = text(
    """
    SELECT count(*) AS entries, count(item.id) AS taken,
        count(*) FILTER (WHERE item.state = ANY (:open) OR EXISTS (
            SELECT FROM payment_item AS hers WHERE hers.hospital_id IS NOT NULL
                AND (hers.bill_id, hers.layer) = (entry.bill_id, entry.layer)
                AND hers.state = ANY (:open))) AS waiting,
        count(*) FILTER (WHERE item.state IN ('paid', 'settled')) AS paid
    FROM grant_entry AS entry
    LEFT JOIN payment_entry AS own USING (bill_id, layer, seq)
    LEFT JOIN payment_item AS item ON item.id = own.item_id
    WHERE entry.kind = ANY (:money)
        AND entry.run_id IN (SELECT run_id FROM application_match WHERE application_id = :case)
        AND person_now(entry.person_id) = person_now(:person)
        AND (:brings <> 'claim' OR (entry.bill_id, entry.layer) IN (
            SELECT bill_id, layer FROM bill_claim WHERE application_id = :case))
    """
)


_TO_HOSPITAL: Final = text(
    """
    UPDATE claim_assignment AS own SET paid = (
        SELECT least(coalesce(sum(item.amount), 0), own.advanced) FROM payment_item AS item
            JOIN bill_claim AS claim ON claim.application_id = own.application_id
                AND (claim.bill_id, claim.layer) = (item.bill_id, item.layer)
                AND claim.state = 'granted'
        WHERE item.bill_id = own.bill_id AND item.hospital_id = own.hospital_id
            AND item.state = 'paid')
    WHERE own.application_id = :case AND own.advanced IS NOT NULL
    """
)


@dataclass(frozen=True, slots=True)
class Due:
    """Which step a granted case is due: `pay`, `close`, or none yet ("")."""

    deed: str


NOTHING_YET: Final = Due("")
PAY: Final = Due("pay")
CLOSE: Final = Due("close")


def granted_cases(session: Session, after: int = 0) -> Sequence[int]:
    """Cases that the system has in hand and that may end, by id; so many at a time."""
    own = APPLICATION.c
    query = select(own.id).where(own.state.in_(("granted", "paid")), own.id > after)
    return session.scalars(query.order_by(own.id).limit(AT_A_TIME)).all()


def finish(session: Session, ground: Ground, case_id: int) -> str:
    """Make the step that the case is due; its deed, or "". Where its person moved before they were
    matched, they are to be matched there first. As `worker`. Raises `UnknownCase`.
    """
    case = case_of(session, case_id, lock=True)
    if case.state == "granted" and follow(session, case, ground.today):
        return ""
    due = due_step(session, ground, case)
    if due.deed:
        if due is PAY:
            session.execute(_TO_HOSPITAL, {"case": case.id})
        procedure = ground.procedure(case)
        given = Circumstances(SYSTEM, ground.keyring, procedure, ground.today)
        take_step(session, case, Step(due.deed), given)
    return due.deed


def due_step(session: Session, ground: Ground, case: Case) -> Due:
    """What the case is due as things stand."""
    if case.state == "paid":
        return CLOSE
    if case.state != "granted" or not _brought(session, case):
        return NOTHING_YET
    return _DUE[ground.procedure(case).brings](session, case)


def _brought(session: Session, case: Case) -> bool:
    mine = select(EFFECT.id).where(EFFECT.application_id == case.id, EFFECT.ended_on.is_(None))
    return session.execute(mine).first() is not None


def _by_runs(session: Session, case: Case) -> Due:
    runs = session.execute(_RUNS, {"case": case.id}).one()
    if runs.released < runs.asked:
        return NOTHING_YET
    brings = "claim" if _claims(session, case) else "identity"
    asked = {"case": case.id, "person": case.person_id, "brings": brings}
    found = session.execute(_ITEMS, {**asked, "open": list(OPEN), "money": _MONEY}).one()
    if found.taken < found.entries or found.waiting:
        return NOTHING_YET
    return PAY if found.paid else CLOSE


def _claims(session: Session, case: Case) -> bool:
    own = text("SELECT EXISTS (SELECT FROM bill_claim WHERE application_id = :case)")
    return bool(session.execute(own, {"case": case.id}).scalar_one())


def _by_amount(session: Session, case: Case) -> Due:
    found = amounts.granted(session, case.id)
    return PAY if found is not None and found.paid_on is not None else NOTHING_YET


def _at_once(_session: Session, _case: Case) -> Due:
    return CLOSE


_DUE: Final[Mapping[str, Callable[[Session, Case], Due]]] = {
    "identity": _by_runs,
    "claim": _by_runs,
    "amount": _by_amount,
    "entitlement": _at_once,
    "registration": _at_once,
    "hand_on": _at_once,
    "judgement": _at_once,
}
AT_ONCE: Final = tuple(brings for brings, due in _DUE.items() if due is _at_once)
