"""A layer that is paid on application alone: on the bills that a granted application names."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from backend.citizens.codes import Codes
from backend.citizens.tables import LAYERS
from backend.kernel.crypto import Keyring
from backend.kernel.database import transaction
from backend.matching.applicable import could_apply
from backend.matching.explaining import explain_grants
from backend.matching.export import Asked
from backend.matching.overview import overview
from tests.support.audited import CLERK
from tests.support.claims import claim, release
from tests.support.ledger import Ledger
from tests.support.office import Office

AREA = "320902"
TINGHU = 320902_001_001
YEAR = 2023


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    return Keyring.open_or_create(tmp_path / "keys.json")


@pytest.fixture
def ledger(worker_database: Engine, keyring: Keyring) -> Ledger:
    """甲 in Tinghu, of class I: two bills, 9,000 and 4,000 yuan."""
    made = Ledger(worker_database, keyring)
    made.person("甲", TINGHU)
    made.register.identity("甲", "extreme_poverty", "2022-01-01")
    made.register.bill("甲", "B1", "2023-04-30", "9000.00")
    made.register.bill("甲", "B2", "2023-06-30", "4000.00")
    with Session(worker_database) as session, session.begin():
        Codes.numbers(session, "layer", LAYERS)
    return made


@pytest.fixture
def office(worker_database: Engine, ledger: Ledger, keyring: Keyring) -> Office:
    opened = Office(worker_database, keyring)
    opened.confirm("tinghu-trial", date(2022, 3, 1), date(2024, 2, 29))
    return opened


def bill(owner: Engine, bill_no: str) -> int:
    with owner.connect() as connection:
        query = text("SELECT id FROM bill WHERE bill_no = :no")
        return int(connection.execute(query, {"no": bill_no}).scalar_one())


def granted(office: Office) -> list[tuple[str, str]]:
    return [(row[0], row[5]) for row in office.grants(AREA, YEAR)]


def listed(keyring: Keyring) -> list[tuple[str, str, str]]:
    with transaction() as session:
        found = list(could_apply(session, keyring, Asked(AREA, YEAR, CLERK)))
    return [(row.bill_no, row.layer, row.amount) for row in found]


def test_where_nobody_applied_nothing_is_paid_and_whoever_could_is_counted_and_listed(
    office: Office, keyring: Keyring
) -> None:
    done = office.match(AREA, YEAR)
    assert granted(office) == []
    assert done["entries"] == {}
    with transaction() as session:
        run = session.execute(text("SELECT max(id) FROM match_run")).scalar_one()
        (counted,) = overview(session, run, date(2024, 1, 2)).could_apply
    # (9,000 - 3,000) and 4,000, each at 50%
    assert (counted.layer, counted.people, counted.bills, counted.money) == (
        "special_assistance", 1, 2, 500_000,
    )  # fmt: skip
    assert listed(keyring) == [
        ("B1", "special_assistance", "3000.00"), ("B2", "special_assistance", "2000.00"),
    ]  # fmt: skip


def test_a_claimed_bill_is_paid_and_the_others_use_up_the_deductible(
    office: Office, database: Engine, keyring: Keyring
) -> None:
    office.match(AREA, YEAR)
    claim(database, [bill(database, "B2")])
    assert office.match(AREA, YEAR)["computed"] == 1  # the claim alone has changed the person
    assert granted(office) == [("B2", "2000.00")]
    assert listed(keyring) == [("B1", "special_assistance", "3000.00")]
    claim(database, [bill(database, "B1")])
    office.match(AREA, YEAR)
    assert granted(office) == [("B1", "3000.00"), ("B2", "2000.00")]
    assert listed(keyring) == []


def test_a_claim_that_is_taken_back_takes_back_what_it_brought(
    office: Office, database: Engine
) -> None:
    own = bill(database, "B1")
    claim(database, [own])
    office.match(AREA, YEAR)
    release(database, [own])
    done = office.match(AREA, YEAR)
    assert done["entries"] == {"special_assistance": {"refund_due": [1, -300_000]}}
    assert granted(office) == []


def test_each_entry_is_explained_by_the_claims_of_its_day(office: Office, database: Engine) -> None:
    own = bill(database, "B1")
    claim(database, [own])
    office.match(AREA, YEAR)
    release(database, [own])
    office.match(AREA, YEAR)
    with transaction() as session:
        first, second = explain_grants(session, CLERK, "B1")
    assert (first.amount_after, second.amount_after) == (300_000, 0)
    assert first.payment is not None
    assert first.payment.amount == 300_000


def test_bills_that_nobody_claims_leave_the_yearly_limit_to_those_that_are(
    office: Office, ledger: Ledger, database: Engine
) -> None:
    ledger.register.bill("甲", "B0", "2023-01-31", "150000.00")
    claim(database, [bill(database, "B1")])
    office.match(AREA, YEAR)
    # 150,000 has used up the deductible; of the limit of 50,000 nothing: 9,000 at 50%
    assert granted(office) == [("B1", "4500.00")]


def test_control_where_the_layer_comes_by_itself_everybody_is_paid(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.matching.slices.as_applied_for", lambda data, *_: data)
    office.match(AREA, YEAR)
    assert granted(office) == [("B1", "3000.00"), ("B2", "2000.00")]
