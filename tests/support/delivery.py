"""Files as departments deliver them, and what the database holds afterwards, decrypted."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text

from backend.citizens.exchange.load import LoadOptions, LoadReport, load_file
from backend.citizens.exchange.undo import Undone, undo_file
from backend.citizens.history import HISTORIES
from backend.citizens.id_number import check_character
from backend.citizens.tables import FLAGS, INSURANCE, LAYERS
from backend.kernel import database
from backend.kernel.crypto import Keyring, Place
from backend.kernel.database import transaction

Row = dict[str, str]
Content = dict[str, list[tuple[Any, ...]]]

VILLAGE = 320281100201


def number(serial: int, born: date = date(1960, 5, 17)) -> str:
    """A valid identity number; odd serials are men's."""
    first = f"320281{born:%Y%m%d}{serial:03d}"
    return first + check_character(first)


def person(serial: int, **other: str) -> Row:
    row = {
        "id_number": number(serial), "name": f"测{serial}", "phone": f"139{serial:08d}",
        "area_code": str(VILLAGE), "registered_area_code": str(VILLAGE),
        "household_no": f"H{serial // 3}", "insurance": "resident", "rural": "1",
        "declined_health_service": "0",
    }  # fmt: skip
    return row | other


def identity(serial: int, from_: str, to: str = "", **other: str) -> Row:
    row = {
        "id_number": number(serial), "category": "subsistence_allowance", "department": "民政",
        "from": from_, "to": to, "applied_on": "", "certificate_no": f"D{serial}",
        "taper_until": "",
    }  # fmt: skip
    return row | other


def bill(no: str, serial: int, **other: str) -> Row:
    row = {
        "bill_no": no, "id_number": number(serial), "hospital_code": "Y1", "setting": "inpatient",
        "admitted_on": "2024-03-01", "discharged_on": "2024-03-09", "total": "1000.00",
        "in_scope": "900.00", "paid_basic": "500.00", "paid_out_of_scope": "", "referred": "1",
        "in_province": "1", "in_county": "0", "followed_guidance": "0", "designated": "",
        "disease_group": "", "diagnosis": "I10.X00", "rare_drug": "",
    }  # fmt: skip
    return row | other


def vital(serial: int, event: str, on: str, detail: str = "") -> Row:
    return {"id_number": number(serial), "event": event, "on": on, "detail": detail}


def household(no: str, year: int, income: str) -> Row:
    return {"household_no": no, "year": str(year), "disposable_income": income}


def write(path: Path, rows: Iterable[Mapping[str, str]]) -> Path:
    rows = list(rows)
    names = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, names, restval="")
        writer.writeheader()
        writer.writerows(rows)
    return path


@dataclass
class Office:
    """Loads files; `content` is what stands, by people's numbers instead of ids."""

    engine: Engine
    folder: Path
    keyring: Keyring
    files: int = 0

    def load(self, kind: str, rows: Iterable[Mapping[str, str]], **options: Any) -> LoadReport:
        self.files += 1
        return self.load_path(kind, write(self.folder / f"{self.files}.csv", rows), **options)

    def load_path(self, kind: str, path: Path, **options: Any) -> LoadReport:
        return load_file(kind, path, LoadOptions(self.keyring, by="测试", **options))

    def undo(self, serial: int) -> Undone:
        with transaction() as session:
            return undo_file(session, serial, "测试")

    def rejects(self, serial: int) -> list[tuple[int, str, str]]:
        query = f"SELECT line, column_name, reason FROM data_reject WHERE file_id = {serial}"
        return sorted(self.ask(query))

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query))]

    def content(self, *, as_of: int | None = None) -> Content:
        return Reader(self, as_of).content()

    def versions(self) -> dict[str, int]:
        """Data version by number."""
        with self.engine.connect() as connection:
            rows = connection.execute(text("SELECT person_id, data_version FROM person_version"))
            found = {row.person_id: row.data_version for row in rows}
        names = Reader(self, None).names
        return {names[id_]: version for id_, version in found.items() if id_ in names}


def clear(office: Office) -> None:
    """The database as after its migrations."""
    names = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    tables = [name for (name,) in office.ask(names) if name != "alembic_version"]
    tables = [name for name in tables if not name.startswith("procrastinate")]
    owner = database.engine_for(office.engine.url.render_as_string(hide_password=False))
    with owner.begin() as connection:
        connection.execute(text("SET session_replication_role = replica"))
        connection.execute(text(f"TRUNCATE {', '.join(tables)} RESTART IDENTITY CASCADE"))
    owner.dispose()


class Reader:
    """Reads people's data whole, as it stands or as it stood at a data version."""

    def __init__(self, office: Office, as_of: int | None) -> None:
        self.office, self.as_of = office, as_of
        keys = office.ask("SELECT id, data_key FROM person")
        self.ciphers = {id_: office.keyring.person(id_, key) for id_, key in keys}
        self.names: dict[int, str] = {
            row["person_id"]: self._number(row) for row in self.rows("person_number")
            if row["current"]
        }  # fmt: skip
        self.names.setdefault(0, "")
        self.codes = {(kind, n): code for kind, code, n in office.ask("SELECT * FROM code_number")}
        shared = office.keyring.shared()
        self.households = {
            id_: shared.open(Place("household", "number", id_), sealed)
            for id_, sealed in office.ask("SELECT id, number FROM household")
        } | {0: ""}
        self.hospitals = dict(office.ask("SELECT id, code FROM hospital"))

    def rows(self, table: str) -> Iterator[dict[str, Any]]:
        """Current rows, or those that held at the data version; days as text."""
        columns = [
            f"{name}::text AS {name}" if name.endswith("_on") or name in ("taper_until", "on_day")
            else name
            for name in HISTORIES[table].c.keys()[:-1]
        ]  # fmt: skip
        query = f"SELECT {', '.join(columns)} FROM {table}"
        if self.as_of is not None:
            history = query.replace(f"FROM {table}", f"FROM {table}_history")
            query += f" WHERE revision <= {self.as_of}"
            query += f" UNION ALL {history} WHERE revision <= {self.as_of}"
            query += f" AND superseded_by > {self.as_of}"
        with self.office.engine.connect() as connection:
            for row in connection.execute(text(query)):
                yield dict(row._mapping)

    def opened(self, table: str, column: str, row: dict[str, Any], person: int) -> str:
        return self.ciphers[person].open(Place(table, column, row["id"]), row[column])

    def _number(self, row: dict[str, Any]) -> str:
        id_ = row["person_id"]
        return self.ciphers[id_].open(Place("person_number", "number", id_), row["number"])

    def content(self) -> Content:
        made = {
            "people": self._people(), "numbers": self._numbers(), "identities": self._identities(),
            "bills": self._bills(), "assignments": self._assignments(), "vital": self._vital(),
            "households": self._incomes(), "hospitals": self._hospitals(),
        }  # fmt: skip
        return {kind: sorted(rows, key=repr) for kind, rows in made.items()}

    def _people(self) -> Iterator[tuple[Any, ...]]:
        for row in self.rows("person"):
            if row["known"]:
                yield (
                    self.names[row["id"]],
                    self.opened("person", "name", row, row["id"]),
                    self.opened("person", "phone", row, row["id"]),
                    self.households[row["household_id"]],
                    INSURANCE[row["insurance"]],
                    self.names[row["guardian_id"]],
                    *(row[one] for one in (
                        "area", "lives_in", "rural", "declined_health_service", "born_on", "sex",
                        "died_on", "left_on",
                    )),
                )  # fmt: skip

    def _numbers(self) -> Iterator[tuple[Any, ...]]:
        for row in self.rows("person_number"):
            yield self._number(row), row["current"], self.names[row["person_id"]]

    def _identities(self) -> Iterator[tuple[Any, ...]]:
        for row in self.rows("identity"):
            yield (
                self.names[row["person_id"]],
                self.codes["category", row["category"]],
                self.codes["department", row["department"]],
                self.opened("identity", "certificate", row, row["person_id"]),
                *(row[one] for one in (
                    "from_on", "to_on", "applied_on", "taper_until", "origin_area", "area",
                )),
            )  # fmt: skip

    def _bills(self) -> Iterator[tuple[Any, ...]]:
        for row in self.rows("bill"):
            yield (
                row["bill_no"],
                self.names[row["person_id"]],
                self.hospitals[row["hospital_id"]],
                self.codes["setting", row["setting"]],
                self.codes["disease_group", row["disease_group"]],
                self.opened("bill", "diagnosis", row, row["person_id"]),
                tuple(name for bit, name in enumerate(FLAGS) if row["flags"] >> bit & 1),
                tuple(row[f"paid_{layer}"] for layer in LAYERS),
                *(row[one] for one in (
                    "admitted_on", "discharged_on", "total", "in_scope", "rare_drug",
                    "paid_out_of_scope", "disease_classes", "area",
                )),
            )  # fmt: skip

    def _assignments(self) -> Iterator[tuple[Any, ...]]:
        for row in self.rows("assignment"):
            said = (row[one] for one in ("role", "staff_no", "from_on", "to_on", "area"))
            yield self.names[row["person_id"]], *said

    def _vital(self) -> Iterator[tuple[Any, ...]]:
        for row in self.rows("vital_event"):
            detail = self.opened("vital_event", "detail", row, row["person_id"])
            said = (row[one] for one in ("event", "on_day", "insurance", "area"))
            yield self.names[row["person_id"]], detail, *said

    def _incomes(self) -> Iterator[tuple[Any, ...]]:
        for row in self.rows("household_income"):
            yield self.households[row["household_id"]], row["year"], row["disposable_income"]

    def _hospitals(self) -> Iterator[tuple[Any, ...]]:
        for row in self.rows("hospital"):
            yield tuple(row[one] for one in ("code", "name", "tier", "area", "designated"))
