"""自动填写 (prefill): what the system knows already is filled in, and says where it comes from.

Nobody writes down, or hands in on paper, what the system can look up itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final

from sqlalchemy import Row, select, text
from sqlalchemy.orm import Session

from backend.accounts.residents import UnknownPerson
from backend.applications.answers import AnswerWrong, checked
from backend.applications.cases import Case, cipher_of
from backend.applications.drafts import Answer, Beginning, write_answer
from backend.citizens.tables import INSURANCE, PERSON
from backend.kernel.crypto import Cipher, Keyring, Place
from backend.kernel.money import format_yuan
from backend.policies.book import PolicyBook
from backend.policies.procedures import Procedure, UnknownKind

_BOUND: Final = text("SELECT phone FROM resident WHERE id = :account AND phone <> ''")
_KNOWN: Final = text(
    "SELECT p.phone, p.insurance, p.rural, h.people, h.income FROM person AS p"
    " LEFT JOIN LATERAL household_known(p.id) AS h ON true WHERE p.id = :person"
)


def procedure_for(
    session: Session, book: PolicyBook, beginning: Beginning, today: date
) -> Procedure:
    """How the kind runs where the person is registered.

    Raises `UnknownPerson`, `UnknownKind` where it cannot be applied for there.
    """
    query = select(PERSON.c.area).where(PERSON.c.id == beginning.person_id)
    row = session.execute(query).first()
    if row is None:
        raise UnknownPerson
    found = book.procedures_at(f"{row.area:012d}"[:6], today).get(beginning.kind)
    if found is None:
        raise UnknownKind
    return found


def fill_in(
    session: Session, keyring: Keyring, case: Case, procedure: Procedure, today: date
) -> int:
    """Fill in what the register knows; how many fields those are. What does not fit the field is
    left for the applicant.
    """
    wanted = [one for one in procedure.fields.values() if one.from_register]
    if not wanted:
        return 0
    known = session.execute(_KNOWN, {"person": case.person_id}).one()
    cipher, filled = cipher_of(session, keyring, case), 0
    found = _Known(known, cipher, case, _bound_phone(session, keyring, case))
    for field in wanted:
        value = THINGS[field.from_register or ""](found)
        if not value:
            continue
        try:
            answer = Answer(field.code, value, 0), checked(field, value, today), "register"
        except AnswerWrong:
            continue
        write_answer(session, cipher, case, answer, source="register")
        filled += 1
    return filled


class _Known:
    """What is known of somebody, opened when it is asked for. `bound`: the phone of the account."""

    def __init__(self, row: Row[Any], cipher: Cipher, case: Case, bound: str) -> None:
        self.row, self.cipher, self.case, self.bound = row, cipher, case, bound

    def phone(self) -> str:
        """The registered phone, else that of the account; "": none."""
        place = Place("person", "phone", self.case.person_id)
        own = self.cipher.open(place, bytes(self.row.phone)) if self.row.phone else ""
        return own or self.bound


def _bound_phone(session: Session, keyring: Keyring, case: Case) -> str:
    """The phone that is bound to the account which applies; "": none."""
    row = session.execute(_BOUND, {"account": case.resident_id}).first()
    if row is None:
        return ""
    return keyring.shared().open(
        Place("resident", "phone", case.resident_id or 0), bytes(row.phone)
    )


def _income(known: _Known) -> str:
    return "" if known.row.income is None else format_yuan(known.row.income)


def _people(known: _Known) -> str:
    return str(known.row.people) if known.row.people else ""


def _insurance(known: _Known) -> str:
    return INSURANCE[known.row.insurance] if known.row.insurance else ""


THINGS: Final[Mapping[str, Callable[[_Known], str]]] = {
    "phone": _Known.phone,
    "household_income": _income,
    "household_size": _people,
    "insurance": _insurance,
    "rural": lambda known: "yes" if known.row.rural else "no",
}
"""What a field may be filled in from, by the names that `procedures.yaml` uses."""
