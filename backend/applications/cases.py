"""案件 (cases): one application as it stands, for those who may see it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, ClassVar, Final

from sqlalchemy import Row, Select, select, text
from sqlalchemy.orm import Session

from backend.accounts.residents import Seen, opened_person
from backend.applications.tables import APPLICATION
from backend.citizens.tables import PERSON
from backend.kernel.audit import Subject
from backend.kernel.crypto import Cipher, Keyring, SealedBroken
from backend.kernel.errors import DomainError, Fault

_UNKNOWN: Final = "没有这件申请，或者不归您看：请从“我的申请”或待办清单里重新打开。"
_PERSON_OF: Final = text("SELECT * FROM person_of_case(:case)")


class UnknownCase(DomainError):
    """No such case, or none that the session may see: not told which."""

    code: ClassVar[str] = "unknown-application"


@dataclass(frozen=True, slots=True)
class Case:
    """A case. `seq`: its number of steps; `desk`: who has it. `expected`: fen, as it was shown."""

    id: int
    person_id: int
    area: int
    kind: str
    policy: str
    category: str
    subject: str
    state: str
    seq: int
    desk: str
    raised: int
    proposal: str
    resident_id: int | None
    staff_id: int | None
    capacity: str
    fast_lane: bool
    filing: bool
    notice: bool
    expected: int | None
    begun_at: datetime
    submitted_at: datetime | None
    ended_at: datetime | None


COLUMNS: Final = tuple(APPLICATION.c[one.name] for one in fields(Case))


def case_of(session: Session, case_id: int, *, lock: bool = False) -> Case:
    """The case as the session sees it; `lock`: kept from others until the transaction ends.

    Raises `UnknownCase`.
    """
    query: Select[Any] = select(*COLUMNS).where(APPLICATION.c.id == case_id)
    row = session.execute(query.with_for_update() if lock else query).first()
    if row is None:
        raise unknown()
    return Case(*row)


def person_of(session: Session, keyring: Keyring, case: Case) -> Seen:
    """Whose case it is, for whoever sees it: its desk also when the person has moved away since.

    Raises `UnknownCase`.
    """
    try:
        return opened_person(keyring, _person(session, case))
    except SealedBroken as error:
        raise unknown() from error


def cipher_of(session: Session, keyring: Keyring, case: Case) -> Cipher:
    """What opens and seals the values of the case: the key of its person. Raises `UnknownCase`."""
    row = _person(session, case)
    try:
        return keyring.person(case.person_id, bytes(row.data_key))
    except SealedBroken as error:
        raise unknown() from error


def of_case(case: Case) -> Subject:
    """The case, for the audit."""
    return Subject("application", str(case.id))


def unknown() -> UnknownCase:
    """What is answered where there is none to be seen."""
    return UnknownCase(Fault("/application", _UNKNOWN))


def _person(session: Session, case: Case) -> Row[Any]:
    columns = PERSON.c.id, PERSON.c.name, PERSON.c.born_on, PERSON.c.data_key
    query: Select[Any] = select(*columns).where(PERSON.c.id == case.person_id)
    found = session.execute(query).first() or session.execute(_PERSON_OF, {"case": case.id}).first()
    if found is None:
        raise unknown()
    return found
