"""Two people of the register who turn out to be one, as departments deliver it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, text

from backend.kernel.crypto import Keyring
from backend.kernel.database import bound
from tests.support.delivery import Office, number, person

TOWNSHIP = "320281100"


@dataclass
class Two:
    """`first` is merged into `second`, who then has the name and number of the first. `engine`: as
    the worker.
    """

    engine: Engine
    office: Office
    first: int
    second: int

    def merge(self) -> int:
        """The file that says that they are one; its serial number."""
        with bound(self.engine):
            return self.office.load("people", [person(1, former_id_number=number(2))]).serial

    def part(self, serial: int) -> None:
        """The file was wrong: it is undone."""
        with bound(self.engine):
            self.office.undo(serial)


def two_people(engine: Engine, folder: Path, keyring: Keyring) -> Two:
    """Both imported by one file."""
    office = Office(engine, folder, keyring)
    with bound(engine):
        office.load("people", [person(1), person(2)])
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT number_index, person_id FROM person_number"))
        known = {bytes(row.number_index): row.person_id for row in rows}
    first, second = (known[keyring.index("id_number", number(one))] for one in (1, 2))
    return Two(engine, office, first, second)
