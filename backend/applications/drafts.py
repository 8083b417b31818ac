"""草稿 (drafts): an application begun, filled in field by field, from any number of devices.

Each value is kept with its version as soon as it is sent; a change names the version that it
changes, so that nobody overwrites what they have not seen. What the register knows is filled in by
`prefill.py` and says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from sqlalchemy import func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from backend.accounts.authority import people_acted_for, people_spoken_for
from backend.accounts.residents import UnknownPerson
from backend.accounts.scope import Actor
from backend.applications.answers import POINTER, UnknownField, checked
from backend.applications.bills import own_bills
from backend.applications.cases import Case, case_of, cipher_of, of_case
from backend.applications.steps import Circumstances, DeedImpossible
from backend.applications.tables import APPLICATION, APPLICATION_ANSWER
from backend.citizens.tables import PERSON
from backend.kernel import audit
from backend.kernel.crypto import Cipher, Place
from backend.kernel.database import constraint_of
from backend.kernel.errors import DomainError, Fault
from backend.kernel.row_ids import next_id
from backend.policies.procedures import Procedure

ANSWER: Final = APPLICATION_ANSWER.c
OPEN: Final = ("draft", "supplement")
"""In these states the case is the applicant's to fill in."""


class AnswerChanged(DomainError):
    """The field was changed meanwhile, on another device."""

    code: ClassVar[str] = "application-answer-changed"


class KeyUsed(DomainError):
    """The client's key was used for another application."""

    code: ClassVar[str] = "application-key-used"


class FastLaneUnknown(DomainError):
    """The kind has no fast lane."""

    code: ClassVar[str] = "application-no-fast-lane"


class NotToApply(DomainError):
    """The session may see the person, and not apply for them."""

    code: ClassVar[str] = "not-asked-to-apply"


_NOT_TO_APPLY: Final = (
    "您的委托里没有“代为申请”：请本人在小程序里加上，或当面重新登记委托，勾选“代为申请”，再来办。"
)


@dataclass(frozen=True, slots=True)
class Beginning:
    """What is begun. `key`: made by the client, the same when it asks again."""

    person_id: int
    kind: str
    key: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What is written into a field. `version`: of the value that it replaces; 0: there is none."""

    field: str
    value: str
    version: int


@dataclass(frozen=True, slots=True)
class Answered:
    """What stands in a field. `source`: `applicant`, or `register`: filled in from there."""

    value: str
    version: int
    source: str


def begin_application(
    session: Session, actor: Actor, beginning: Beginning, procedure: Procedure
) -> tuple[Case, bool]:
    """Begin an application for the person, or find the one begun with the same key; whether it is
    new. `procedure`: of the policy at the person's place.

    Raises `UnknownPerson` where the session does not see the person, `NotToApply` where it was not
    asked to apply for them, `KeyUsed`.
    """
    area = _area(session, actor, beginning.person_id)
    own = next_id(session)
    row = {
        "id": own, "person_id": beginning.person_id, "area": area, "kind": beginning.kind,
        "policy": procedure.policy, "resident_id": actor.resident_id, "staff_id": actor.staff_id,
        "capacity": _capacity(session, actor, beginning.person_id),
        "client_key": beginning.key, "filing": procedure.filing,
        "notice": procedure.notice is not None, "keep_years": procedure.retention_years,
    }  # fmt: skip
    new = upsert(APPLICATION).values(row).on_conflict_do_nothing().returning(APPLICATION.c.id)
    if session.execute(new).first() is not None:
        case = case_of(session, own)
        audit.deed(session, actor, "application.begin", of_case(case), person=case.person_id)
        return case, True
    return _begun_before(session, actor, beginning), False


def change_answer(session: Session, case: Case, answer: Answer, given: Circumstances) -> Answered:
    """Write a value into a field of an application that is the applicant's to fill in.

    Raises `UnknownField`, `AnswerWrong`, `AnswerChanged`, `DeedImpossible` where the application
    was submitted.
    """
    if case.state not in OPEN:
        raise submitted_already()
    field = given.procedure.fields.get(answer.field)
    if field is None:
        raise UnknownField(Fault("/field", "这类申请没有这一项：请刷新页面后再填。"))
    value = checked(field, answer.value, given.today)
    if field.type == "bills":
        own_bills(session, case.person_id, value)
    cipher = cipher_of(session, given.keyring, case)
    written = write_answer(session, cipher, case, (answer, value, given.who.label))
    audit.deed(
        session, given.who, "application.answer", of_case(case),
        person=case.person_id, field=answer.field,
    )  # fmt: skip
    return written


def answers_of(session: Session, cipher: Cipher, case_id: int) -> dict[str, Answered]:
    """What stands in the fields of a case."""
    query = select(ANSWER.id, ANSWER.field, ANSWER.value, ANSWER.version, ANSWER.source)
    rows = session.execute(query.where(ANSWER.application_id == case_id).order_by(ANSWER.id))
    return {row.field: _opened(cipher, row) for row in rows}


def choose_fast_lane(
    session: Session, actor: Actor, case: Case, procedure: Procedure, chosen: bool
) -> None:
    """急重病: a certificate of the diagnosis is enough for now. Raises `FastLaneUnknown`,
    `DeedImpossible`.
    """
    if case.state != "draft":
        raise submitted_already()
    if chosen and not procedure.fast_lane:
        raise FastLaneUnknown(Fault("/fast_lane", "这类申请没有急重病通道：请按一般办法申请。"))
    session.execute(update(APPLICATION).where(APPLICATION.c.id == case.id).values(fast_lane=chosen))
    audit.deed(
        session, actor, "application.fast_lane", of_case(case), person=case.person_id, chosen=chosen
    )


def write_answer(
    session: Session, cipher: Cipher, case: Case, given: tuple[Answer, str, str],
    source: str = "applicant",
) -> Answered:  # fmt: skip
    """Put a checked value into the field; `given`: what was asked, the value, who gives it.

    Raises `AnswerChanged`, `DeedImpossible`.
    """
    answer, value, by = given
    said = {"source": source, "by": by}
    try:
        with session.begin_nested():
            if answer.version == 0:
                own = next_id(session)
                sealed = cipher.seal(_place(own), value)
                session.execute(
                    insert(APPLICATION_ANSWER).inline().values(
                        id=own, application_id=case.id, field=answer.field, value=sealed, **said
                    )
                )  # fmt: skip
            else:
                _replace(session, cipher, case, answer, {"value": value, **said})
    except IntegrityError as error:
        raise _refused(error) from error
    return Answered(value, answer.version + 1, source)


def submitted_already() -> DeedImpossible:
    """What is answered to changes of what was submitted."""
    told = "这件申请已经提交，不能再改：要改的，请先撤回，或等工作人员要求补正。"
    return DeedImpossible(Fault("/application", told))


def _replace(
    session: Session, cipher: Cipher, case: Case, answer: Answer, said: Mapping[str, str]
) -> None:
    mine = (ANSWER.application_id == case.id) & (ANSWER.field == answer.field)
    own = session.execute(select(ANSWER.id).where(mine)).scalar_one_or_none()
    if own is None:
        raise _changed()
    values = {**said, "value": cipher.seal(_place(own), said["value"])}
    done = session.execute(
        update(APPLICATION_ANSWER)
        .where(mine, ANSWER.version == answer.version)
        .values(**values, version=answer.version + 1, at=func.now())
    )
    if not done.rowcount:  # type: ignore[attr-defined]
        raise _changed()


def _refused(error: DBAPIError) -> Exception:
    constraint = constraint_of(error)
    if constraint == "application_answer_open":
        return submitted_already()
    if constraint == "uq_application_answer_application_id_field":
        return _changed()
    return error


def _changed() -> AnswerChanged:
    told = "这一项刚在别处改过：请刷新，看过新的内容再改。"
    return AnswerChanged(Fault(POINTER, told))


def _opened(cipher: Cipher, row: Any) -> Answered:
    return Answered(cipher.open(_place(row.id), bytes(row.value)), row.version, row.source)


def _place(answer_id: int) -> Place:
    return Place("application_answer", "value", answer_id)


def _area(session: Session, actor: Actor, person_id: int) -> int:
    if person_id not in people_acted_for(session, "apply"):
        if person_id in people_acted_for(session, "see"):
            raise NotToApply(Fault("/person", _NOT_TO_APPLY))
        raise UnknownPerson
    row = session.execute(select(PERSON.c.area).where(PERSON.c.id == person_id)).first()
    if row is None:  # may apply, but was not allowed to see
        raise UnknownPerson
    return int(row.area)


def _capacity(session: Session, actor: Actor, person_id: int) -> str:
    if actor.person_id == person_id:
        return "self"
    if actor.resident_id is not None and person_id in people_spoken_for(session):
        return "family"
    return "delegate"


def _begun_before(session: Session, actor: Actor, beginning: Beginning) -> Case:
    mine = (
        APPLICATION.c.staff_id == actor.staff_id
        if actor.resident_id is None
        else APPLICATION.c.resident_id == actor.resident_id
    )
    query = select(APPLICATION.c.id).where(mine, APPLICATION.c.client_key == beginning.key)
    found = session.execute(query).scalar_one_or_none()
    case = None if found is None else case_of(session, found)
    if case is None or (case.person_id, case.kind) != (beginning.person_id, beginning.kind):
        told = "这个编号已经用在另一件申请上：请重新打开页面，再申请一次。"
        raise KeyUsed(Fault("/key", told))
    return case
