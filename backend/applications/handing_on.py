"""转办和办结结论 (handing on): what others go on with: a charity, or the county's own desk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import ClassVar, Final

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from backend.accounts.consents import has_consent
from backend.applications.cases import Case, of_case
from backend.applications.effect_tables import HANDED_ON
from backend.applications.errands import leave_handed_back
from backend.applications.ground import Ground, whom
from backend.applications.steps import NotYourDesk
from backend.kernel import audit
from backend.kernel.errors import DomainError, Fault
from backend.worklist.items import NewItem, open_items, supersede_items

OWN: Final = HANDED_ON.c
BY: Final = "worker"
CHARITY: Final = "charity"
DESKS: Final = ("county_officer", "city_officer")
RESULTS: Final[Mapping[str, str]] = {
    "helped": "慈善组织已帮扶",
    "not_helped": "慈善组织没有帮扶",
    "not_wanted": "本人不再需要",
}
"""What may come of it (Wuxi 七(十四): accept, hand on, report the result)."""
MOST: Final = 200
_HAND_ON: Final = "已批准转给慈善组织，本人已同意：请转交，并记下结果。"
_NO_CONSENT: Final = "已批准转给慈善组织，但本人没有同意转交，或者已撤回：请先问本人，没有转交。"
_JUDGEMENT: Final = "申请经核实成立：请按结论更正登记、或者请有关部门更正，并记下结果。"


class NotHandedOn(DomainError):
    """The case is with no charity any more, or something else was reported."""

    code: ClassVar[str] = "application-not-handed-on"


@dataclass(frozen=True, slots=True)
class HandedOn:
    """A case that a charity goes on with."""

    case_id: int
    person_id: int
    area: int
    handed_on: date


def hand_on(session: Session, ground: Ground, case: Case) -> Sequence[int]:
    """On the list for the charity, with the person's consent alone; no run is needed."""
    procedure, own = ground.procedure(case), whom(session, case.person_id)
    agreed = procedure.consent is None or has_consent(
        session, own.id, procedure.consent, ground.today
    )
    if agreed:
        row = {
            "application_id": case.id, "person_id": own.id, "area": case.area,
            "department": CHARITY, "handed_on": ground.today, "ended_on": None, "result": "",
            "reported_by": "",
        }  # fmt: skip
        new = insert(HANDED_ON).values(row)
        session.execute(new.on_conflict_do_update(index_elements=["application_id"], set_=row))
    _open(session, ground, case, ("hand_on", _HAND_ON if agreed else _NO_CONSENT))
    return ()


def end(session: Session, ground: Ground, case: Case) -> Sequence[int]:
    """Off the list."""
    mine = (OWN.application_id == case.id) & OWN.ended_on.is_(None)
    session.execute(update(HANDED_ON).where(mine).values(ended_on=ground.today))
    close_work(session, case)
    return ()


def close_work(session: Session, case: Case) -> None:
    """Nobody needs to hand it on any more. As `worker`."""
    supersede_items(session, "hand_on", [of_case(case)], BY)


def ask_for_judgement(session: Session, ground: Ground, case: Case) -> Sequence[int]:
    """The county does what the outcome asks for; no run is needed before it has."""
    _open(session, ground, case, ("judgement", _JUDGEMENT))
    return ()


def end_judgement(session: Session, _ground: Ground, case: Case) -> Sequence[int]:
    """Nobody needs to do it any more."""
    supersede_items(session, "judgement", [of_case(case)], BY)
    return ()


def handed_on(session: Session, low: int, high: int) -> Sequence[HandedOn]:
    """What is with the charity, of the 12-digit places; the newest in front."""
    query = select(OWN.application_id, OWN.person_id, OWN.area, OWN.handed_on).where(
        OWN.area.between(low, high), OWN.ended_on.is_(None)
    )
    newest = query.order_by(OWN.handed_on.desc(), OWN.application_id.desc()).limit(MOST)
    return [HandedOn(*row) for row in session.execute(newest)]


def report_result(session: Session, who: audit.Who, case: Case, result: str, today: date) -> None:
    """What came of it, of `RESULTS`: it is off the list. The same again changes nothing.

    Raises `NotYourDesk`, `NotHandedOn`.
    """
    if who.role not in DESKS:
        raise NotYourDesk(Fault("/result", "结果由县（市、区）工作人员登记：请交给他们办理。"))
    mine = update(HANDED_ON).where(OWN.application_id == case.id, OWN.ended_on.is_(None))
    values = {"ended_on": today, "result": result, "reported_by": who.label}
    if session.execute(mine.values(values).returning(OWN.application_id)).first() is None:
        if _reported(session, case) != result:
            told = "这件申请不在转办清单里，或者已登记另外的结果：请刷新清单后再看。"
            raise NotHandedOn(Fault("/result", told))
        return
    audit.deed(
        session, who, "application.handed_back", of_case(case),
        person=case.person_id, result=result,
    )  # fmt: skip
    leave_handed_back(session, case.id)


def _reported(session: Session, case: Case) -> str:
    query = select(OWN.result).where(OWN.application_id == case.id)
    return session.execute(query).scalar_one_or_none() or ""


def _open(session: Session, ground: Ground, case: Case, work: tuple[str, str]) -> None:
    kind, reason = work
    item = NewItem(kind, of_case(case), case.person_id, case.area, reason)
    open_items(session, [item], BY, ground.today)
