"""转办和办结结论 (handing on): what others go on with: a charity, or the county's own desk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from backend.accounts.consents import has_consent
from backend.applications.cases import Case, of_case
from backend.applications.effect_tables import HANDED_ON
from backend.applications.ground import Ground, whom
from backend.kernel.areas import code_range
from backend.worklist.items import NewItem, open_items, supersede_items

OWN: Final = HANDED_ON.c
BY: Final = "worker"
CHARITY: Final = "charity"
_HAND_ON: Final = "已批准转给慈善组织，本人已同意：请转交，并记下结果。"
_NO_CONSENT: Final = "已批准转给慈善组织，但本人没有同意转交，或者已撤回：请先问本人，没有转交。"
_JUDGEMENT: Final = "申请经核实成立：请按结论更正登记、或者请有关部门更正，并记下结果。"


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
            "department": CHARITY, "handed_on": ground.today, "ended_on": None,
        }  # fmt: skip
        new = insert(HANDED_ON).values(row)
        session.execute(new.on_conflict_do_update(index_elements=["application_id"], set_=row))
    _open(session, ground, case, ("hand_on", _HAND_ON if agreed else _NO_CONSENT))
    return ()


def end(session: Session, ground: Ground, case: Case) -> Sequence[int]:
    """Off the list."""
    mine = (OWN.application_id == case.id) & OWN.ended_on.is_(None)
    session.execute(update(HANDED_ON).where(mine).values(ended_on=ground.today))
    supersede_items(session, "hand_on", [of_case(case)], BY)
    return ()


def ask_for_judgement(session: Session, ground: Ground, case: Case) -> Sequence[int]:
    """The county does what the outcome asks for; no run is needed before it has."""
    _open(session, ground, case, ("judgement", _JUDGEMENT))
    return ()


def end_judgement(session: Session, _ground: Ground, case: Case) -> Sequence[int]:
    """Nobody needs to do it any more."""
    supersede_items(session, "judgement", [of_case(case)], BY)
    return ()


def handed_on(session: Session, area: str) -> Sequence[HandedOn]:
    """What is with the charity, of a place; the newest in front."""
    low, high = code_range(area)
    query = select(OWN.application_id, OWN.person_id, OWN.area, OWN.handed_on).where(
        OWN.area.between(low, high), OWN.ended_on.is_(None)
    )
    rows = session.execute(query.order_by(OWN.handed_on.desc(), OWN.application_id.desc()))
    return [HandedOn(*row) for row in rows]


def _open(session: Session, ground: Ground, case: Case, work: tuple[str, str]) -> None:
    kind, reason = work
    item = NewItem(kind, of_case(case), case.person_id, case.area, reason)
    open_items(session, [item], BY, ground.today)
