"""Import, matching and export against a slow calculator that reads the same files.

`SHUKUN_ORACLE_PEOPLE`: how many invented people, 20,000 unless said otherwise.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from backend.citizens.codes import Codes
from backend.citizens.invent.delivery import invent
from backend.citizens.invent.files import Files
from backend.citizens.invent.plan import plan
from backend.citizens.tables import LAYERS
from backend.estimation import rules as engine_rules
from backend.kernel.copy import Columns
from backend.kernel.crypto import Keyring
from backend.matching.reading import IDENTITIES, Ids, Reader
from backend.matching.runs import nothing_changed
from backend.matching.slices import Summary
from tests.oracle.entitlements import Due, in_kind
from tests.oracle.matching import Confirmed, Grant, grants, in_area
from tests.oracle.reference import TINGHU
from tests.oracle.register import Register, Row, read_register
from tests.support.claims import claim_half, claimed
from tests.support.corrections import corrections, exchanged, settling
from tests.support.office import ORDER, Delivered, Office, delivered, read_rows, split, write_rows

PEOPLE = int(os.environ.get("SHUKUN_ORACLE_PEOPLE", "8000"))
FEW = 2_000
# 江阴 and 梁溪 under 无锡, 张家港, 乐清, 亭湖, and 虎丘, which has no policy.
COUNTIES = ("320281", "320213", "320582", "330382", "320902", "320505")
AREAS = ("320000", "330382")
YEARS = (2024, 2025)
CONFIRMED: Confirmed = {TINGHU: (date(2024, 3, 1), date(2025, 9, 30))}

Answers = Mapping[tuple[str, int], tuple[list[Grant], set[Due]]]


def invented(folder: Path, people: int, seed: int) -> Path:
    with Files(folder) as files:
        invent(plan(people, seed, COUNTIES, YEARS), files)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return invented(tmp_path_factory.mktemp("many") / "files", PEOPLE, 20261122)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return invented(tmp_path_factory.mktemp("few") / "files", FEW, 3)


@dataclass
class ClaimingOffice(Office):
    """An office where applications for every other bill were granted."""

    owner: Engine | None = None

    def match(self, area: str, year: int, *, full: bool = False) -> Summary:
        assert self.owner is not None
        claim_half(self.owner)
        return super().match(area, year, full=full)


@pytest.fixture
def office(worker_database: Engine, database: Engine, tmp_path: Path) -> Office:
    keyring = Keyring.open_or_create(tmp_path / "keys.json")
    opened = ClaimingOffice(worker_database, keyring, database)
    numbers_are_given(worker_database)
    opened.confirm(TINGHU, *CONFIRMED[TINGHU])
    return opened


def numbers_are_given(engine: Engine) -> None:
    with Session(engine) as session, session.begin():
        Codes.numbers(session, "layer", LAYERS)


def by_oracle(register: Register) -> Answers:
    applied_for = {
        row["bill_no"] for row in register.rows["bills"].values() if claimed(row["bill_no"])
    }
    return {
        (area, year): (
            grants(register, area, year, CONFIRMED, applied_for),
            in_kind(register, area, year, CONFIRMED),
        )
        for area in AREAS
        for year in YEARS
    }


def by_matching(office: Office, register: Register) -> Answers:
    """What stands after matching every area and year."""
    found = {}
    for area in AREAS:
        numbers = [
            number
            for number, person in register.people.items()
            if in_area(person["registered_area_code"], area)
        ]
        for year in YEARS:
            office.match(area, year)
            found[area, year] = (office.grants(area, year), office.in_kind(numbers, year))
    return found


def with_paid_since(now: Answers, before: Answers, register: Register) -> Answers:
    """With the grants of before on whose bills, still of the person, a later file brings a payment:
    they stand (settled, or of another amount and so for a person to judge). Years are matched in
    their order: a bill that now belongs to an earlier one takes its grant along, of a later one the
    grant is taken back first."""
    kept: dict[tuple[str, int], list[Grant]] = {key: [] for key in now}
    for (_, year), (money, _) in before.items():
        for grant in money:
            bill = register.rows["bills"][(grant[0],)]
            of = int(bill["discharged_on"][:4])
            stands = bill["id_number"] == grant[1] and of in YEARS and of <= year
            if bill[f"paid_{grant[3]}"] and stands:
                place = register.people[bill["id_number"]]["registered_area_code"]
                area = next(area for area in AREAS if in_area(place, area))
                kept[area, of].append(grant)
    return {
        key: (sorted([*money, *kept[key]], key=lambda row: (row[0], row[3])), kind)
        for key, (money, kind) in now.items()
    }


def differences(found: Answers, expected: Answers) -> list[str]:
    """A line for every row in one of the two and not in the other, or not in order."""
    lines = []
    for key, (money, kind) in expected.items():
        for what, ours, theirs in (("money", found[key][0], money), ("kind", found[key][1], kind)):
            rows, wanted = set(ours), set(theirs)
            lines += [f"{key} {what} found only {row}" for row in sorted(rows - wanted, key=str)]
            lines += [f"{key} {what} wanted only {row}" for row in sorted(wanted - rows, key=str)]
        if not lines and found[key][0] != money:
            lines.append(f"{key} money in another order, or twice")
    return lines


def assert_same(found: Answers, expected: Answers) -> None:
    lines = differences(found, expected)
    assert not lines, "\n".join([f"{len(lines)} differences", *lines[:20]])


def test_everybody_gets_exactly_what_a_slow_calculator_gives_them_and_so_after_corrections(
    office: Office, folder: Path, tmp_path: Path
) -> None:
    files = delivered(folder)
    office.take(files)
    register = read_register(files)
    expected = by_oracle(register)
    assert sum(len(money) for money, _ in expected.values()) > PEOPLE // 3
    assert_same(by_matching(office, register), expected)

    later = [*files, *corrections(folder, tmp_path / "later", 5)]
    office.take(later[len(files) :])
    register = read_register(later)
    corrected = with_paid_since(by_oracle(register), expected, register)
    assert corrected != expected
    assert_same(by_matching(office, register), corrected)

    for area in AREAS:
        for year in YEARS:
            assert nothing_changed(office.match(area, year))
            assert nothing_changed(office.match(area, year, full=True))


def test_a_bill_that_turns_out_to_be_anothers_is_taken_from_one_and_granted_to_the_other(
    office: Office, small: Path, tmp_path: Path
) -> None:
    files = [*delivered(small), ("bills", exchanged(small, tmp_path / "exchanged.csv", 6))]
    office.take(files[:-1])
    before = by_matching(office, read_register(files[:-1]))
    office.take(files[-1:])
    register = read_register(files)
    after = by_matching(office, register)
    assert before != after
    assert_same(after, by_oracle(register))


@pytest.mark.parametrize("kinds", [ORDER[::-1], ("vital", "bills", "identities", "people")])
def test_the_order_of_the_kinds_of_files_does_not_matter(
    kinds: Sequence[str], office: Office, small: Path
) -> None:
    office.take(delivered(small, kinds))
    register = read_register(delivered(small))
    assert_same(by_matching(office, register), by_oracle(register))


@pytest.mark.parametrize("cut", ["half-years", "odd and even lines"])
def test_two_loads_of_half_the_bills_equal_one_also_when_matched_in_between(
    cut: str, office: Office, small: Path, tmp_path: Path
) -> None:
    lines = {row["bill_no"]: line for line, row in enumerate(read_rows(small / "bills.csv"))}

    def first(row: Row) -> bool:
        if cut == "half-years":
            return row["discharged_on"][5:] < "07-01"
        return lines[row["bill_no"]] % 2 == 0

    halves = split(small, "bills", tmp_path, first)
    office.take([*delivered(small, ORDER[:-1]), ("bills", halves[0])])
    register = read_register(delivered(small))
    before = by_matching(office, register)
    office.take([("bills", halves[1])])
    after = by_matching(office, register)
    assert before != after
    assert_same(after, by_oracle(register))


def test_an_ineligible_member_added_to_every_household_changes_nobody_else(
    office: Office, small: Path, tmp_path: Path
) -> None:
    office.take(delivered(small))
    register = read_register(delivered(small))
    before = by_matching(office, register)
    office.take(ineligible_members(small, tmp_path))
    assert_same(by_matching(office, register), before)


def test_a_file_that_brings_just_what_was_granted_changes_no_grant(
    office: Office, small: Path, tmp_path: Path
) -> None:
    office.take(delivered(small))
    register = read_register(delivered(small))
    before = by_matching(office, register)
    granted = [row for money, _ in before.values() for row in money]
    office.take([("bills", settling(small, tmp_path / "settled.csv", granted, 0.3))])
    assert_same(by_matching(office, register), before)
    assert office.match("320000", 2024, full=True)["opened"] == 0


def ineligible_members(folder: Path, to: Path) -> Delivered:
    """A person without an identity and with a bill, beside everybody that is first of a family."""
    families: dict[str, Row] = {}
    for row in read_rows(folder / "people.csv"):
        families.setdefault(row["household_no"], row)
    with Files(to / "strangers") as files:
        invent(plan(len(families), 4, ("420102",), YEARS), files)
    people = [
        family | {"id_number": stranger["id_number"], "name": "外人", "phone": ""}
        for family, stranger in zip(
            families.values(), read_rows(to / "strangers" / "people.csv"), strict=True
        )
    ]
    bills = [
        row | {"bill_no": f"X{row['bill_no']}"}
        for row in read_rows(to / "strangers" / "bills.csv")
        if row["paid_medical_assistance"] == ""
    ]
    return [
        ("people", write_rows(to / "more-people.csv", people)),
        ("bills", write_rows(to / "more-bills.csv", bills)),
    ]


# --- The comparison finds what it is there to find ----------------------------------------------


def few_answers(office: Office, small: Path) -> tuple[Answers, Answers]:
    """What matching gives the few, and what it should."""
    office.take(delivered(small))
    register = read_register(delivered(small))
    return by_matching(office, register), by_oracle(register)


def test_control_identities_that_count_for_the_whole_household_are_found_out(
    office: Office, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def of_the_household(reader: Reader, among: Ids | None) -> Columns:
        columns = ", ".join(f"i.{name}" for name in list(IDENTITIES)[1:])
        return reader.read(
            f"SELECT p.id, {columns} FROM person p"
            " JOIN person m ON m.household_id = p.household_id"
            " JOIN identity i ON i.person_id = m.id"
            " WHERE {who} ORDER BY p.id, i.from_on, i.id",
            IDENTITIES,
            among,
        )

    monkeypatch.setattr(Reader, "identities", of_the_household)
    assert differences(*few_answers(office, small))


def test_control_money_counted_in_floats_is_found_out(
    office: Office, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def in_floats(amount: Any, unit: int = 10_000) -> Any:
        yuan = np.round(np.asarray(amount) / unit / 100, 2)
        return (yuan * 100).astype(np.int64)

    monkeypatch.setattr(engine_rules, "half_up", in_floats)
    assert differences(*few_answers(office, small))


def test_control_bills_written_twice_are_found_out_where_the_key_is_dropped(
    office: Office, database: Engine, small: Path
) -> None:
    office.take(delivered(small))
    twice = "INSERT INTO bill SELECT nextval('row_id'), " + ", ".join(_columns(database)[1:])
    with pytest.raises(IntegrityError), database.begin() as connection:
        connection.execute(text(f"{twice} FROM bill"))
    with database.begin() as connection:
        connection.execute(text("ALTER TABLE bill DROP CONSTRAINT uq_bill_bill_no"))
        connection.execute(text(f"{twice} FROM bill"))
    register = read_register(delivered(small))
    assert differences(by_matching(office, register), by_oracle(register))


def _columns(database: Engine) -> Sequence[str]:
    query = "SELECT column_name FROM information_schema.columns WHERE table_name = 'bill' ORDER BY ordinal_position"
    with database.connect() as connection:
        return connection.execute(text(query)).scalars().all()
