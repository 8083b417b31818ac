"""查看申请 (reading): applications as applicants and staff see them; every look is written down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.accounts.authority import people_spoken_for, purpose_of_look
from backend.accounts.scope import Actor
from backend.applications import advances, clocks
from backend.applications.cases import COLUMNS, Case, case_of, person_of
from backend.applications.clocks import Running
from backend.applications.drafts import Answered, answers_of
from backend.applications.steps import STEP, place
from backend.applications.submitting import code_of
from backend.applications.sums import Sum, sum_of
from backend.applications.tables import APPLICATION, APPLICATION_CLAIM, APPLICATION_RESTED
from backend.kernel import audit
from backend.kernel.clock import CHINA
from backend.kernel.crypto import Cipher, Keyring

CASE: Final = APPLICATION.c
MOST: Final = 100
_SHOWN: Final = ("applications",)


@dataclass(frozen=True, slots=True)
class Made:
    """A step as it was made. `note`: words to it; `role` "": an applicant, or by itself."""

    seq: int
    deed: str
    from_state: str
    to_state: str
    proposal: str
    reason: str
    note: str = field(repr=False)
    role: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Opened:
    """An application with everything in it. `code` "": not submitted yet; `granted` None: nothing
    was granted in money; `advance` None: nothing was assigned to a hospital; `rested` None: nothing
    of it is gone by the years that cases are kept."""

    case: Case
    name: str = field(repr=False)
    answers: Mapping[str, Answered]
    steps: Sequence[Made]
    clocks: tuple[Running, ...]
    code: str = field(repr=False)
    taken_by: int | None
    granted: Sum | None
    advance: advances.Assigned | None
    rested: date | None


def own_cases(session: Session, actor: Actor) -> Sequence[Case]:
    """The applications of those whom the session applies for, the newest in front."""
    query = select(*COLUMNS).order_by(CASE.id.desc()).limit(MOST)
    found = [Case(*row) for row in session.execute(query)]
    spoken_for = people_spoken_for(session)
    for purpose, own in (("own", True), ("delegated", False)):
        people = [one.person_id for one in found if (one.person_id in spoken_for) is own]
        audit.read_people(session, actor, people, purpose, _SHOWN)
    return found


def open_case(session: Session, keyring: Keyring, actor: Actor, case_id: int) -> Opened:
    """An application, for its applicants or for staff who decide. Raises `UnknownCase`."""
    case = case_of(session, case_id)
    person = person_of(session, keyring, case)
    purpose = purpose_of_look(session, actor, case.person_id)
    audit.read_person(session, actor, case.person_id, purpose, _SHOWN)
    return Opened(
        case,
        person.name,
        answers_of(session, person.cipher, case.id),
        steps_of(session, person.cipher, case.id),
        clocks.running(session, case.id),
        code_of(session, keyring, case),
        _taken_by(session, case.id),
        sum_of(session, case.id),
        advances.assigned(session, case.id),
        _rested(session, case.id),
    )


def steps_of(session: Session, cipher: Cipher, case_id: int) -> Sequence[Made]:
    """The steps of a case, in their order."""
    query = select(
        STEP.id, STEP.seq, STEP.deed, STEP.from_state, STEP.to_state, STEP.proposal, STEP.reason,
        STEP.note, STEP.role, STEP.at,
    ).where(STEP.application_id == case_id)  # fmt: skip
    return [_made(cipher, row) for row in session.execute(query.order_by(STEP.seq))]


def _made(cipher: Cipher, row: Any) -> Made:
    note = cipher.open(place(row.id), bytes(row.note)) if row.note else ""
    return Made(
        row.seq, row.deed, row.from_state, row.to_state, row.proposal, row.reason, note,
        row.role, row.at,
    )  # fmt: skip


def _taken_by(session: Session, case_id: int) -> int | None:
    claim = APPLICATION_CLAIM.c
    query = select(claim.staff_id).where(claim.application_id == case_id)
    found: int | None = session.execute(query).scalar_one_or_none()
    return found


def _rested(session: Session, case_id: int) -> date | None:
    rested = APPLICATION_RESTED.c
    query = select(rested.at).where(rested.application_id == case_id)
    found: datetime | None = session.execute(query).scalar_one_or_none()
    return None if found is None else found.astimezone(CHINA).date()
