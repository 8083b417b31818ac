"""Invented people of the register with names, numbers and keys of their own, as an import leaves
them, and their accounts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from itertools import count
from typing import Any, Final

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from backend.citizens.id_number import check_character
from backend.kernel.crypto import Keyring, Place
from tests.support.accounts import Accounts
from tests.support.register import JIANGYIN, Register

_SERIAL: Final = count(900)
BORN: Final = date(1980, 5, 1)


@dataclass(frozen=True)
class Townsman:
    """Somebody: the id in the register, what is written on the card."""

    id: int
    name: str
    number: str


@dataclass
class Townsfolk:
    """Makes people. Needs the database's owner."""

    engine: Engine
    keyring: Keyring
    accounts: Accounts
    register: Register

    def agreed_at_counter(self, consent: int) -> None:
        """The same consent once more, given on paper at a counter."""
        self.accounts.change(
            "INSERT INTO consent SELECT nextval('row_id'), NULL, person_id, purpose, text_id,"
            " version, text_sha256, given_at, 'counter', proof, by FROM consent WHERE id = :consent",
            consent=consent,
        )

    def person(
        self, name: str, born_on: date = BORN, area: int = JIANGYIN, **more: Any
    ) -> Townsman:
        """Somebody with a name, a number, a phone."""
        number = id_number(born_on)
        own = self.register.person(name, area, born_on=born_on, **more)
        key = self.keyring.new_person_key(own)
        cipher = self.keyring.person(own, key)
        values = {
            "id": own,
            "key": key,
            "name": cipher.seal(Place("person", "name", own), name),
            "phone": cipher.seal(Place("person", "phone", own), "19900000009"),
            "index": self.keyring.index("id_number", number),
            "number": cipher.seal(Place("person_number", "number", own), number),
        }
        with Session(self.engine) as session, session.begin():
            session.execute(
                text(
                    "UPDATE person SET name = :name, phone = :phone, data_key = :key WHERE id = :id"
                ),
                values,
            )
            session.execute(
                text(
                    "INSERT INTO person_number (number_index, person_id, current, number, file_id,"
                    " revision) VALUES (:index, :id, true, :number, 1, 1)"
                ),
                values,
            )
        return Townsman(own, name, number)

    def known(self, who: Townsman) -> str:
        """A session of the person's account, made known; the token."""
        return self.accounts.resident_token(who.id)


def id_number(born_on: date) -> str:
    """A number of nobody, with a right check character."""
    more, serial = divmod(next(_SERIAL), 900)
    first = f"{320280 + more}{born_on:%Y%m%d}{100 + serial}"
    return first + check_character(first)


def events(engine: Engine, *actions: str) -> list[tuple[str, str, str]]:
    """Actor, deed and subject of what was audited, of these deeds alone where some are named."""
    with Session(engine) as session:
        rows = session.execute(
            text("SELECT actor, action, subject_kind || ':' || subject_id AS of FROM audit_event"
                 " ORDER BY id")
        )  # fmt: skip
        return [
            (row.actor, row.action, row.of) for row in rows if not actions or row.action in actions
        ]
