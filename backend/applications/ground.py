"""依据 (ground): what effects of cases stand on: keys, rules and the day."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from backend.applications.cases import Case
from backend.citizens.tables import PERSON
from backend.kernel.crypto import Keyring
from backend.policies.book import PolicyBook
from backend.policies.procedures import Procedure


@dataclass(frozen=True, slots=True)
class Ground:
    """Keys, rules, the day."""

    keyring: Keyring = field(repr=False)
    book: PolicyBook
    today: date

    def procedure(self, case: Case) -> Procedure:
        """By which procedure the case runs: that of its policy."""
        return self.book.procedure(case.policy, case.kind)


@dataclass(frozen=True, slots=True)
class Whom:
    """Who the case's person is today: merged people are one. `area`: the registered one."""

    id: int
    area: int


def whom(session: Session, person_id: int) -> Whom:
    """Who that is now."""
    now = text("person.id = person_now(:person)").bindparams(person=person_id)
    return Whom(*session.execute(select(PERSON.c.id, PERSON.c.area).where(now)).one())
