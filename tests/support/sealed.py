"""A few hundred invented people with everything personal about them, sealed as an import would."""

from __future__ import annotations

import base64
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import psycopg
from sqlalchemy import text
from sqlalchemy.orm import Session

from backend.citizens.id_number import CHECKS, WEIGHTS
from backend.citizens.tables import LAYERS
from backend.kernel.copy import raw
from backend.kernel.crypto import Keyring, Place

SURNAMES: Final = "阚鄢郗郜逯麴逄璩"
GIVEN: Final = "曦晟珩翀翾骞祎旻昶赟奡懿"
AREAS: Final = (320281_101_001, 320281_102_003, 320282_101_002, 330382_101_001)
DIAGNOSES: Final = ("C34.9", "N18.5", "F20.9", "D66.X", "G12.2")
MOST: Final = 10_000_000
"""People that can be told apart."""


@dataclass(frozen=True)
class Invented:
    """One person in plain words."""

    id: int
    area: int
    name: str
    number: str
    former: str
    phone: str
    household: str
    certificate: str
    diagnosis: str
    detail: str
    account: str
    openid: str
    totp: str

    @property
    def secrets(self) -> tuple[str, ...]:
        """What may stand nowhere in plain."""
        return (
            self.name, self.number, self.former, self.phone, self.household, self.certificate,
            self.diagnosis, self.detail, self.account, self.openid, self.totp,
        )  # fmt: skip


def invent(count: int, seed: int = 7) -> list[Invented]:
    """People of nobody; each secret is found in no other text."""
    dice = random.Random(seed)
    return [_invent(dice, at) for at in range(count)]


def _invent(dice: random.Random, at: int) -> Invented:
    serial = f"{dice.randrange(10**9):09d}{at:05d}"
    return Invented(
        id=1_000_000 + at,
        area=AREAS[at % len(AREAS)],
        name=SURNAMES[at % 8] + GIVEN[at // 8 % 12] + GIVEN[at // 96 % 12],
        number=_number(at),
        former=_number(at + MOST),
        phone=f"139{dice.randrange(1000):03d}{at:05d}",
        household=f"HH{serial}",
        certificate=f"低保字第{serial}号",
        diagnosis=f"{dice.choice(DIAGNOSES)}{at:05d}K",
        detail=f"迁往外省{serial}",
        account=_card(f"6222{serial}"),
        openid=f"oINV{dice.randrange(10**9):09d}x{serial[:14]}",
        totp=f"TOTP{base64.b32encode(serial.encode()).decode().rstrip('=')}",
    )


def _number(at: int) -> str:
    """Another one for each: 1,000 people of every day."""
    born = date(1940, 1, 1) + timedelta(days=at // 1000)
    stem = f"320281{born:%Y%m%d}{at % 1000:03d}"
    return stem + CHECKS[sum(int(d) * w for d, w in zip(stem, WEIGHTS, strict=True)) % 11]


def _card(stem: str) -> str:
    """With the check digit of bank cards."""
    doubled = (int(digit) * (2 - at % 2) for at, digit in enumerate(reversed(stem)))
    return stem + str(-sum(one // 10 + one % 10 for one in doubled) % 10)


def plant(session: Session, keyring: Keyring, people: Sequence[Invented]) -> None:
    """Write them by COPY, as the worker does: every table that holds something personal."""
    rows: dict[str, list[dict[str, Any]]] = {}
    for person in people:
        for table, row in (*_rows(keyring, person), *_account_rows(keyring, person)):
            rows.setdefault(table, []).append(row)
    for table, of_table in rows.items():
        columns = ", ".join(of_table[0])
        with (
            raw(session).cursor() as cursor,
            cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy,
        ):  # type: ignore[arg-type]
            for row in of_table:
                copy.write_row(tuple(row.values()))


def _rows(keyring: Keyring, one: Invented) -> Iterator[tuple[str, dict[str, Any]]]:
    key = keyring.new_person_key(one.id)
    seal = keyring.person(one.id, key).seal
    origin = {"file_id": 1, "revision": 1}
    person = {
        "id": one.id, "known": True, "area": one.area, "lives_in": one.area,
        "household_id": one.id, "insurance": 1, "rural": False,
        "declined_health_service": False, "born_on": date(1960, 1, 1), "sex": 1,
        "name": seal(Place("person", "name", one.id), one.name),
        "phone": seal(Place("person", "phone", one.id), one.phone),
        "phone_index": keyring.index("phone", one.phone), "data_key": key, **origin,
    }  # fmt: skip
    yield "person", person
    past = {"died_on": "infinity", "left_on": "infinity", "guardian_id": 0, "superseded_by": 2}
    yield "person_history", person | past
    for number, current in ((one.number, True), (one.former, False)):
        yield "person_number", {
            "number_index": keyring.index("id_number", number), "person_id": one.id,
            "current": current,
            "number": seal(Place("person_number", "number", one.id), number), **origin,
        }  # fmt: skip
    yield "person_number_history", {
        "number_index": keyring.index("id_number", one.former), "person_id": one.id,
        "current": True, "number": seal(Place("person_number", "number", one.id), one.former),
        **origin, "superseded_by": 2,
    }  # fmt: skip
    yield "household", {
        "id": one.id, "number_index": keyring.index("household", one.household),
        "number": keyring.shared().seal(Place("household", "number", one.id), one.household),
        **origin,
    }  # fmt: skip
    yield "identity", {
        "id": one.id, "person_id": one.id, "area": one.area, "category": 1, "department": 1,
        "from_on": date(2023, 1, 1),
        "certificate": seal(Place("identity", "certificate", one.id), one.certificate), **origin,
    }  # fmt: skip
    yield "bill", {
        "id": one.id, "bill_no": f"B{one.id}", "person_id": one.id, "area": one.area,
        "hospital_id": 1, "setting": 1, "admitted_on": date(2024, 3, 1),
        "discharged_on": date(2024, 3, 9), "total": 1_520_000, "in_scope": 1_480_000,
        "rare_drug": 0, "paid_out_of_scope": 0,
        **{f"paid_{layer}": -1 for layer in LAYERS}, "flags": 1, "disease_group": 1,
        "disease_classes": 0,
        "diagnosis": seal(Place("bill", "diagnosis", one.id), one.diagnosis), **origin,
    }  # fmt: skip
    yield "assignment", {
        "id": one.id, "person_id": one.id, "area": one.area, "role": "cadre", "staff_no": "S1",
        "from_on": date(2023, 1, 1), **origin,
    }  # fmt: skip
    yield "vital_event", {
        "id": one.id, "person_id": one.id, "area": one.area, "event": "moved_away",
        "on_day": date(2024, 6, 1), "insurance": 0,
        "detail": seal(Place("vital_event", "detail", one.id), one.detail), **origin,
    }  # fmt: skip
    yield "payee", {
        "id": one.id, "person_id": one.id, "kind": "own", "relationship": "self",
        "bank": seal(Place("payee", "bank", one.id), "农业银行"),
        "holder": seal(Place("payee", "holder", one.id), one.name),
        "account": seal(Place("payee", "account", one.id), one.account),
        "account_index": keyring.index("account", one.account), "loaded_by": "测试",
    }  # fmt: skip


def _account_rows(keyring: Keyring, one: Invented) -> Iterator[tuple[str, dict[str, Any]]]:
    """What accounts keep of somebody, under the shared key."""
    shared = keyring.shared()
    yield "resident", {
        "id": one.id, "person_id": one.id, "level": 2,
        "phone": shared.seal(Place("resident", "phone", one.id), one.phone),
        "phone_index": keyring.index("phone", one.phone),
    }  # fmt: skip
    yield "wechat_user", {
        "resident_id": one.id, "openid_index": keyring.index("openid", one.openid),
        "openid": shared.seal(Place("wechat_user", "openid", one.id), one.openid),
    }  # fmt: skip
    yield "staff", {
        "id": one.id, "staff_no": f"S{one.id}", "name": "测试",
        "password_salt": "", "password_sha256": b"",
        "totp_secret": shared.seal(Place("staff", "totp_secret", one.id), one.totp),
    }  # fmt: skip


def faults(session: Session, keyring: Keyring, people: Sequence[Invented]) -> list[str]:
    """What of these people is not found, or not read as it was written; empty: all is well."""
    found: list[str] = []
    for one in people:
        found += _faults_of(session, keyring, one)
    return found


def _faults_of(session: Session, keyring: Keyring, one: Invented) -> Iterator[str]:
    for what, kind, value, question in (
        ("number", "id_number", one.number, "SELECT person_id FROM person_number WHERE number_index = ANY(:i)"),
        ("former number", "id_number", one.former, "SELECT person_id FROM person_number WHERE number_index = ANY(:i)"),
        ("phone", "phone", one.phone, "SELECT id FROM person WHERE phone_index = ANY(:i)"),
        ("household", "household", one.household, "SELECT id FROM household WHERE number_index = ANY(:i)"),
        ("account", "account", one.account, "SELECT person_id FROM payee WHERE account_index = ANY(:i)"),
        ("resident's phone", "phone", one.phone, "SELECT id FROM resident WHERE phone_index = ANY(:i)"),
        ("openid", "openid", one.openid, "SELECT resident_id FROM wechat_user WHERE openid_index = ANY(:i)"),
    ):  # fmt: skip
        indexes = list(keyring.indexes(kind, value))
        if session.execute(text(question), {"i": indexes}).scalars().all() != [one.id]:
            yield f"{one.id} is not found by {what}"
    row = session.execute(
        text(
            "SELECT person.data_key, person.name, person.phone, bill.diagnosis, household.number"
            ", resident.phone AS own_phone, wechat_user.openid, staff.totp_secret"
            " FROM person JOIN bill ON bill.person_id = person.id"
            " JOIN resident ON resident.person_id = person.id"
            " JOIN wechat_user ON wechat_user.resident_id = resident.id"
            " JOIN staff ON staff.id = person.id"
            " JOIN household ON household.id = person.household_id WHERE person.id = :id"
        ),
        {"id": one.id},
    ).one()
    cipher = keyring.person(one.id, row.data_key)
    read = (
        cipher.open(Place("person", "name", one.id), row.name),
        cipher.open(Place("person", "phone", one.id), row.phone),
        cipher.open(Place("bill", "diagnosis", one.id), row.diagnosis),
        keyring.shared().open(Place("household", "number", one.id), row.number),
        keyring.shared().open(Place("resident", "phone", one.id), row.own_phone),
        keyring.shared().open(Place("wechat_user", "openid", one.id), row.openid),
        keyring.shared().open(Place("staff", "totp_secret", one.id), row.totp_secret),
    )
    plain = one.name, one.phone, one.diagnosis, one.household, one.phone, one.openid, one.totp
    if read != plain:
        yield f"{one.id} is not read as written"


def data_versions(session: Session) -> dict[int, int]:
    """Person → data version."""
    rows: Any = session.execute(text("SELECT person_id, data_version FROM person_version"))
    return {row.person_id: row.data_version for row in rows}


def copy_rejected(connection: psycopg.Connection[Any], table: str, line: str) -> bool:
    """Whether the server refuses a line of COPY text."""
    try:
        with (
            connection.transaction(),
            connection.cursor() as cursor,
            cursor.copy(f"COPY {table} FROM STDIN") as copy,
        ):  # type: ignore[arg-type]
            copy.write(line)
    except psycopg.Error:
        return True
    return False
