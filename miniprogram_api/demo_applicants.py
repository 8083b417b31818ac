"""演示申请人 (demo applicants): an invented resident of each place, who has something to apply for.

They come by the same files as everybody else, after the others were matched: what they are due on
application is left to be applied for. Each holds a simulated phone and has an account at a bank.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import exists, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from backend.citizens.exchange.load import LoadOptions, load_file
from backend.citizens.id_number import check_character
from backend.citizens.lookup import find_people
from backend.kernel.clock import today
from backend.kernel.crypto import Keyring
from backend.kernel.database import transaction
from backend.kernel.jobs import periodic_done
from backend.payments.payees import take_payees
from miniprogram_api.demo_people import BY
from miniprogram_api.demo_residents import Resident

DONE: Final = {"job": "demo", "period": "applicants"}
SINCE: Final = "2022-01-01"
_BORN: Final = "19800501"
_AGO: Final = timedelta(days=20)
_STAY: Final = timedelta(days=9)
_BILL: Final = text("SELECT id FROM bill WHERE person_id = :person ORDER BY id LIMIT 1")
_HOSPITAL: Final[Mapping[str, Any]] = {
    "hospital_code": "H32090200", "name": "编造320902第一医院", "tier": 3,
    "area_code": "320902001001", "designated": 1,
}  # fmt: skip
"""Of Tinghu, where nobody else of the demo lives."""
_UNSETTLED: Final[Mapping[str, str]] = {
    "total": "9000.00", "in_scope": "9000.00", "paid_basic": "0.00",
    "paid_serious_illness": "0.00", "paid_medical_assistance": "0.00",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Applicant:
    """Somebody who does not exist. `user`: who holds the phone; `category`: the identity held, "":
    none; `paid`: the money of the bill; `discharged`: None: some weeks ago."""

    user: str
    name: str
    village: str
    serial: int
    category: str = ""
    paid: Mapping[str, str] | None = None
    discharged: date | None = None

    @property
    def number(self) -> str:
        """Of nobody, with a right check character."""
        first = f"{self.village[:6]}{_BORN}{self.serial}"
        return first + check_character(first)

    @property
    def account(self) -> str:
        """A card of nobody, with a right check digit."""
        stem = f"6228480{self.serial:011d}"
        doubled = (sum(divmod(2 * int(digit), 10)) for digit in stem[::-2])
        return f"{stem}{-(sum(map(int, stem[-2::-2])) + sum(doubled)) % 10}"


APPLICANTS: Final = (
    Applicant("jiangyin1", "测试江甲", "320281101001", 991),
    Applicant("zhangjiagang1", "测试张甲", "320582101001", 992),
    Applicant(
        "yueqing1", "测试乐甲", "330382101001", 993, "subsistence_allowance",
        {"total": "300000.00", "in_scope": "300000.00", "paid_basic": "200000.00",
         "paid_serious_illness": "10000.00", "paid_medical_assistance": "10000.00"},
        date(2025, 9, 3),
    ),
    Applicant("tinghu1", "测试亭甲", "320902101001", 994, "extreme_poverty", _UNSETTLED),
)  # fmt: skip


def bring(folder: Path, keyring: Keyring) -> bool:
    """Bring them, as `worker`, once; whether they were new. Opens its own transactions."""
    with transaction() as session:
        if _are_there(session):
            return False
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    options = LoadOptions(keyring=keyring, by=BY)
    for kind, rows in _files(today()).items():
        load_file(kind, _written(folder / f"{kind}.csv", rows), options)
    payees = _written(folder / "payees.csv", [_payee(one) for one in APPLICANTS])
    with transaction() as session:
        take_payees(session, keyring, payees, BY)
        session.execute(insert(periodic_done).values(DONE).on_conflict_do_nothing())
    return True


def applicants(session: Session, keyring: Keyring) -> Mapping[str, Resident]:
    """User of a phone → who they are in the register; as `worker`."""
    found = find_people(session, keyring, [one.number for one in APPLICANTS])
    return {
        one.user: Resident(
            found[one.number].id, one.name, one.number, one.village,
            session.execute(_BILL, {"person": found[one.number].id}).scalar_one_or_none(),
        )
        for one in APPLICANTS
    }  # fmt: skip


def _are_there(session: Session) -> bool:
    marks = (periodic_done.c[name] == value for name, value in DONE.items())
    return bool(session.execute(select(exists().where(*marks))).scalar_one())


def _files(now: date) -> Mapping[str, Sequence[Mapping[str, Any]]]:
    """The rows of each kind of file, in the order of loading."""
    return {
        "people": [_person(one) for one in APPLICANTS],
        "hospitals": [_HOSPITAL],
        "identities": [_identity(one) for one in APPLICANTS if one.category],
        "bills": [_bill(one, now) for one in APPLICANTS if one.paid is not None],
    }


def _person(one: Applicant) -> Mapping[str, Any]:
    return {
        "id_number": one.number, "name": one.name, "phone": f"19900000{one.serial}",
        "area_code": one.village, "registered_area_code": one.village,
        "household_no": f"DEMO{one.serial}", "insurance": "resident", "rural": 0,
        "declined_health_service": 0,
    }  # fmt: skip


def _identity(one: Applicant) -> Mapping[str, Any]:
    return {
        "id_number": one.number, "category": one.category, "department": "civil_affairs",
        "from": SINCE, "to": "", "applied_on": "", "certificate_no": f"DEMO{one.serial}",
    }  # fmt: skip


def _bill(one: Applicant, now: date) -> Mapping[str, Any]:
    discharged = one.discharged or now - _AGO
    return {
        "bill_no": f"DEMO-{one.serial}", "id_number": one.number,
        "hospital_code": f"H{one.village[:6]}00", "setting": "inpatient",
        "admitted_on": discharged - _STAY, "discharged_on": discharged, **(one.paid or {}),
        "referred": 1, "in_province": 1, "in_county": 1, "followed_guidance": 1, "designated": 1,
        "disease_group": "major", "diagnosis": "C34.900", "rare_drug": "0.00",
    }  # fmt: skip


def _payee(one: Applicant) -> Mapping[str, Any]:
    return {
        "id_number": one.number, "holder": one.name, "account": one.account,
        "bank": "编造银行", "relationship": "own",
    }  # fmt: skip


def _written(path: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path
