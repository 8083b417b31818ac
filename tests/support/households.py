"""Households with an income, put straight into the tables beside `Register`."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from backend.citizens.tables import HOUSEHOLD, HOUSEHOLD_INCOME
from backend.kernel.crypto import Keyring
from backend.kernel.money import parse_yuan
from tests.support.register import JIANGYIN, Register

ORIGIN: Final = {"file_id": 1, "revision": 1}


@dataclass
class Households:
    """Families known by name in the test; members are people of the register."""

    register: Register
    keyring: Keyring
    ids: dict[str, int] = field(default_factory=dict)

    def family(self, name: str, *members: str, area: int = JIANGYIN, **more: Any) -> int:
        """A household with members and the yearly incomes in `incomes` (year → yuan)."""
        with self.session() as session, session.begin():
            own = _next_id(session)
            session.execute(
                HOUSEHOLD.insert().values(
                    id=own, number=b"", number_index=own.to_bytes(8, "big"), **ORIGIN
                )
            )
            for year, yuan in more.pop("incomes", {}).items():
                income = parse_yuan(yuan)
                values = {"id": _next_id(session), "household_id": own, "year": year}
                values["disposable_income"] = income
                session.execute(HOUSEHOLD_INCOME.insert().values(**values, **ORIGIN))
        self.ids[name] = own
        for member in members:
            self.member(member, household_id=own, area=area, **more)
        return own

    def member(self, name: str, **more: Any) -> int:
        """A person with a key of their own."""
        own = self.register.person(name, **more)
        self.register.change_person(name, data_key=self.keyring.new_person_key(own))
        return own

    def dies(self, name: str, on: str) -> None:
        """Recognised dead."""
        self.register.change_person(name, died_on=date.fromisoformat(on))

    def moves(self, name: str, on: str) -> None:
        """Moved away."""
        self.register.change_person(name, left_on=date.fromisoformat(on))

    def session(self) -> Session:
        """A session on the test's database."""
        return Session(self.register.engine)

    def execute(self, statement: str, **values: Any) -> None:
        """One statement, committed."""
        with self.session() as session, session.begin():
            session.execute(text(statement), values)

    def rows(self, query: str, **values: Any) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        with self.session() as session:
            return [tuple(row) for row in session.execute(text(query), values)]


def _next_id(session: Session) -> int:
    return int(session.execute(text("SELECT nextval('row_id')")).scalar_one())
