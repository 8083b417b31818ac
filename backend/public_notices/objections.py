"""异议 (objections): what anybody says against an entry, without an account; decided by the desk
that has the case, before the grant counts.

Words and contact are sealed; who objected is asked for nothing, and asks with a code what became of
it.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, ClassVar, Final

from sqlalchemy import LargeBinary, bindparam, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from backend.accounts.scope import Actor
from backend.applications.cases import case_of, of_case
from backend.applications.deciding import procedure_of
from backend.applications.steps import Circumstances, NotYourDesk, Step, take_step
from backend.applications.submitting import ALPHABET, CODE_LENGTH, plain
from backend.applications.tables import APPLICATION
from backend.applications.upkeep import Rounds
from backend.kernel import audit
from backend.kernel.crypto import Keyring, Place
from backend.kernel.errors import DomainError, Fault
from backend.kernel.row_ids import next_id
from backend.policies.procedures import KINDS
from backend.public_notices.reading import down
from backend.public_notices.tables import NOTICE_OBJECTION, PUBLIC_NOTICE_ENTRY

CODE: Final = "objection_code"
STATES: Final = {
    "open": "正在核实",
    "upheld": "异议成立，重新办理",
    "dismissed": "异议不成立",
    "moot": "这件申请已不在公示，不再处理",
}
"""State → its name."""
_COUNTY: Final = "county_officer"
_OBJECT: Final = text(
    "SELECT * FROM object_to_notice(:id, :notice, :entry, :key, :words, :contact, :code, :index)"
)
_BY_CODE: Final = text("SELECT * FROM objection_by_code(:indexes)").bindparams(
    bindparam("indexes", type_=ARRAY(LargeBinary))
)
_O: Final = NOTICE_OBJECTION.c


class UnknownObjection(DomainError):
    """No such objection, or none that the session may see."""

    code: ClassVar[str] = "unknown-objection"


class ObjectionDecided(DomainError):
    """A colleague was faster."""

    code: ClassVar[str] = "objection-decided"


class ObjectionKeyUsed(DomainError):
    """The client's key belongs to an objection to another entry."""

    code: ClassVar[str] = "objection-key-used"


@dataclass(frozen=True, slots=True)
class Objecting:
    """What is objected to whom. `key`: the client's, so that sending again changes nothing."""

    notice_id: int
    entry_id: int
    key: str
    words: str = field(repr=False)
    contact: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Standing:
    """What became of an objection."""

    state: str
    made_on: date
    decided_on: date | None
    answer: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """An objection of the desk's list. `state`: of the case."""

    id: int
    case_id: int
    name: str
    kind: str
    kind_name: str
    made_at: datetime
    words: str = field(repr=False)
    contact: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the desk says of it; `answer`: what whoever objected is told."""

    objection_id: int
    upheld: bool
    answer: str


def make_objection(session: Session, keyring: Keyring, one: Objecting) -> str:
    """Object; the code to ask with. Again with the same key: the same code.

    Raises `NoticeDown`, `ObjectionKeyUsed`.
    """
    own, shared = next_id(session), keyring.shared()
    code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
    values = {
        "id": own, "notice": one.notice_id, "entry": one.entry_id, "key": one.key,
        "words": shared.seal(_place("words", own), one.words),
        "contact": shared.seal(_place("contact", own), one.contact),
        "code": shared.seal(_place("code", own), code), "index": keyring.index(CODE, code),
    }  # fmt: skip
    row = session.execute(_OBJECT, values).first()
    if row is None:
        raise down()
    if row.entry != one.entry_id:
        told = "这个编号已经用在另一条异议上：请重新打开页面，再提一次。"
        raise ObjectionKeyUsed(Fault("/key", told))
    return shared.open(_place("code", row.id), bytes(row.code))


def objection_by_code(session: Session, keyring: Keyring, code: str) -> Standing:
    """What became of it, for whoever has the code. Raises `UnknownObjection`."""
    row = session.execute(_BY_CODE, {"indexes": list(keyring.indexes(CODE, plain(code)))}).first()
    if row is None:
        raise _unknown()
    answer = keyring.shared().open(_place("answer", row.id), bytes(row.answer))
    return Standing(row.state, row.made_on, row.decided_on, answer)


def objections_waiting(session: Session, keyring: Keyring, actor: Actor) -> Sequence[Waiting]:
    """Those that are open at the desk of who acts: where the case lies; the oldest in front.

    Whose files they are about hear of the look.
    """
    query = (
        select(_O.id, _O.application_id, _O.words, _O.contact, _O.made_at,
               PUBLIC_NOTICE_ENTRY.c.name, PUBLIC_NOTICE_ENTRY.c.kind, APPLICATION.c.person_id)
        .join(PUBLIC_NOTICE_ENTRY, PUBLIC_NOTICE_ENTRY.c.id == _O.entry_id)
        .join(APPLICATION, APPLICATION.c.id == _O.application_id)
        .where(_O.state == "open", _O.area.between(actor.area_from, actor.area_to))
        .order_by(_O.id)
        .limit(200)
    )  # fmt: skip
    at_desk = APPLICATION.c.desk == actor.role
    if actor.role == _COUNTY:  # what has left every desk stays with the county until it is settled
        at_desk |= APPLICATION.c.desk.not_in(("county_officer", "city_officer"))
    rows = session.execute(query.where(at_desk)).all()
    audit.read_people(session, actor, [row.person_id for row in rows], "review", ["applications"])
    return [_waiting(keyring, row) for row in rows]


def decide_objection(session: Session, actor: Actor, verdict: Verdict, rounds: Rounds) -> None:
    """Uphold it (the case goes back to be decided anew) or dismiss it, with an answer; once.

    Raises `UnknownObjection`, `ObjectionDecided`, `NotYourDesk`, and what the step raises.
    """
    found = select(_O.application_id, _O.state).where(_O.id == verdict.objection_id)
    row = session.execute(found).first()
    if row is None:
        raise _unknown()
    case = case_of(session, row.application_id)
    if row.state != "open":
        raise _decided()
    _settle(session, verdict, rounds.keyring)
    audit.deed(
        session, actor, "public_notice.decide", of_case(case), person=case.person_id,
        objection=str(verdict.objection_id), upheld=verdict.upheld,
    )  # fmt: skip
    if verdict.upheld and case.state == "noticed":
        given = Circumstances(
            actor, rounds.keyring, procedure_of(rounds.book, case), rounds.today
        )  # fmt: skip
        take_step(session, case, Step("stop", "objection", verdict.answer), given)


def _settle(session: Session, verdict: Verdict, keyring: Keyring) -> None:
    sealed = keyring.shared().seal(_place("answer", verdict.objection_id), verdict.answer)
    change = (
        update(NOTICE_OBJECTION)
        .where(_O.id == verdict.objection_id, _O.state == "open")
        .values(state="upheld" if verdict.upheld else "dismissed", answer=sealed)
    )
    try:
        done = session.execute(change).rowcount  # type: ignore[attr-defined]
    except DBAPIError as error:
        raise _decided() from error
    if not done:
        still = select(_O.state).where(_O.id == verdict.objection_id)
        if session.execute(still).scalar_one_or_none() != "open":
            raise _decided()
        told = "这件异议不归您处理：案件不在您这里，由同事领办，或者您须回避。"
        raise NotYourDesk(Fault("/objection", told))


def _waiting(keyring: Keyring, row: Any) -> Waiting:
    shared = keyring.shared()
    return Waiting(
        row.id, row.application_id, row.name, row.kind, KINDS.get(row.kind, row.kind), row.made_at,
        shared.open(_place("words", row.id), bytes(row.words)),
        shared.open(_place("contact", row.id), bytes(row.contact)),
    )  # fmt: skip


def _place(column: str, objection_id: int) -> Place:
    return Place("notice_objection", column, objection_id)


def _unknown() -> UnknownObjection:
    return UnknownObjection(Fault("/objection", "没有这条异议：请核对编号，或从清单里重新打开。"))


def _decided() -> ObjectionDecided:
    return ObjectionDecided(Fault("/objection", "这条异议已经处理过了：请刷新清单。"))
