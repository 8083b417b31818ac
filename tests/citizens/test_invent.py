from __future__ import annotations

import csv
from collections.abc import Mapping
from datetime import date
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest

from backend.citizens.invent.arrays import Days
from backend.citizens.invent.delivery import invent
from backend.citizens.invent.files import KINDS, Files, FilesExist
from backend.citizens.invent.plan import CannotInvent, Plan, plan
from backend.kernel import areas
from backend.kernel.settings import Settings
from backend.policies.catalogue import load_catalogue
from miniprogram_api.cli import run

PEOPLE = 6_000
PLAN = plan(PEOPLE, 7, ("320281", "320582", "330382", "320902"), (2024, 2025))
WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]

Rows = list[dict[str, str]]


def write(wanted: Plan, folder: Path) -> Path:
    with Files(folder) as files:
        invent(wanted, files)
    return folder


def rows(path: Path) -> Rows:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(PLAN, tmp_path_factory.mktemp("invented") / "files")


@pytest.fixture(scope="module")
def files(folder: Path) -> Mapping[str, Rows]:
    return {kind: rows(folder / f"{kind}.csv") for kind in KINDS}


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(
    folder: Path, tmp_path: Path
) -> None:
    again = write(PLAN, tmp_path / "again")
    other = write(plan(PEOPLE, 8, PLAN.counties, PLAN.years), tmp_path / "other")
    for kind in KINDS:
        written = (folder / f"{kind}.csv").read_bytes()
        assert (again / f"{kind}.csv").read_bytes() == written, kind
        assert kind == "hospitals" or (other / f"{kind}.csv").read_bytes() != written, kind


def test_every_identity_number_is_valid_and_nobody_has_anothers(files: Mapping[str, Rows]) -> None:
    numbers = [row["id_number"] for row in files["people"]]
    assert len(set(numbers)) == len(numbers) == PEOPLE
    for number in numbers:
        check = sum(int(d) * w for d, w in zip(number, WEIGHTS, strict=False)) % 11
        assert number[17] == "10X98765432"[check]
        assert date(1880, 1, 1) < date.fromisoformat(number[6:14]) < date(2024, 1, 1)
        assert areas.is_area(number[:6]) or number[:6] in ("810000", "820000", "830000")


def test_people_live_in_families_and_villages_of_the_counties(files: Mapping[str, Rows]) -> None:
    people = files["people"]
    registered = [row["registered_area_code"] for row in people]
    assert registered == sorted(registered)
    assert {code[:6] for code in registered} == set(PLAN.counties)
    families: dict[str, set[str]] = {}
    for row in people:
        families.setdefault(row["household_no"], set()).add(row["registered_area_code"])
    assert all(len(villages) == 1 for villages in families.values())
    assert 2 < len(people) / len(families) < 4


def test_everybody_named_in_a_file_is_in_the_register(files: Mapping[str, Rows]) -> None:
    known = {row["id_number"] for row in files["people"]}
    for kind in ("identities", "bills", "assignments", "vital"):
        assert {row["id_number"] for row in files[kind]} <= known, kind
    households = {row["household_no"] for row in files["people"]}
    assert {row["household_no"] for row in files["households"]} <= households


def test_a_third_hold_identities_whose_days_never_overlap_in_one_department(
    files: Mapping[str, Rows],
) -> None:
    held: dict[tuple[str, str, str], list[tuple[str, str]]] = {}
    for row in files["identities"]:
        key = (row["id_number"], row["category"], row["department"])
        held.setdefault(key, []).append((row["from"], row["to"] or "9999-12-31"))
    for spans in held.values():
        assert all(first <= last for first, last in spans)
        assert all(before[1] < after[0] for before, after in pairwise(sorted(spans)))
    assert any(len(spans) > 1 for spans in held.values())
    assert 0.28 < len({key[0] for key in held}) / PEOPLE < 0.42
    assert {key[1] for key in held} == _vocabulary_categories()
    two_departments = len({key[:2] for key in held}) < len(held)
    assert two_departments


def test_bills_come_by_day_of_discharge_and_their_money_is_in_order(
    files: Mapping[str, Rows],
) -> None:
    bills = files["bills"]
    assert len(bills) == 3 * PEOPLE
    days = [bill["discharged_on"] for bill in bills]
    assert days == sorted(days)
    assert (days[0], days[-1]) == ("2024-01-01", "2025-12-31")
    assert len({bill["bill_no"] for bill in bills}) == len(bills)
    for bill in bills:
        fen = {
            name: round(float(text) * 100)
            for name, text in bill.items()
            if name in ("total", "in_scope", "rare_drug") or (name.startswith("paid_") and text)
        }
        paid = sum(amount for name, amount in fen.items() if name.startswith("paid_"))
        assert 0 <= paid <= fen["total"]
        assert 0 <= fen["in_scope"] + fen["rare_drug"] <= fen["total"]
        assert bill["admitted_on"] <= bill["discharged_on"]


def test_the_corners_that_rules_have_occur(files: Mapping[str, Rows]) -> None:
    bills, identities = files["bills"], files["identities"]
    of_person = [(bill["id_number"], bill["discharged_on"]) for bill in bills]
    assert len(set(of_person)) < len(of_person)  # two bills of one day
    assert any(bill["paid_medical_assistance"] == "0.00" for bill in bills)
    assert {bill["designated"] for bill in bills} == {"0", "1", ""}
    assert any(bill["rare_drug"] != "0.00" for bill in bills)
    assert max(float(bill["in_scope"]) for bill in bills) > 300_000
    assert any(row["taper_until"] > row["to"] != "" for row in identities)
    assert any(row["applied_on"] > row["from"] for row in identities)
    events = {row["event"] for row in files["vital"]}
    assert events == {"death", "moved_away", "insurance_change"}
    lost = {(row["id_number"], row["to"]) for row in identities if row["to"]}
    stays: dict[str, list[tuple[str, str]]] = {}
    for bill in bills:
        stays.setdefault(bill["id_number"], []).append((bill["admitted_on"], bill["discharged_on"]))
    assert any(a <= day < d for number, day in lost for a, d in stays.get(number, []))


def test_the_command_writes_parquet_with_the_same_cells(folder: Path, tmp_path: Path) -> None:
    areas_ = [option for code in PLAN.counties for option in ("--area", code)]
    years = [option for year in PLAN.years for option in ("--year", str(year))]
    asked = ["invent", "--people", str(PEOPLE), "--seed", "7", "--parquet", *areas_, *years]
    assert run([*asked, "--out", str(tmp_path / "new")]) == 0
    for kind in KINDS:
        columns = pl.read_parquet(tmp_path / "new" / f"{kind}.parquet")
        assert columns.equals(pl.read_csv(folder / f"{kind}.csv", infer_schema=False)), kind


def test_files_that_are_there_are_never_overwritten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bills.csv").write_text("a department's")
    assert run(["invent", "--people", "10", "--out", str(tmp_path)]) == 2
    assert "bills.csv" in capsys.readouterr().err
    assert (tmp_path / "bills.csv").read_text() == "a department's"


def test_a_fault_on_the_way_leaves_no_file_behind(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        write(_failing(PLAN), tmp_path / "new")
    assert list((tmp_path / "new").iterdir()) == []


def test_files_in_another_form_count_as_there_too(tmp_path: Path) -> None:
    (tmp_path / "people.parquet").touch()
    with pytest.raises(FilesExist):
        Files(tmp_path)


def test_an_unknown_area_and_too_many_people_are_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(["invent", "--people", "9", "--area", "320299", "--out", str(tmp_path / "x")]) == 2
    assert "320299" in capsys.readouterr().err
    with pytest.raises(CannotInvent):
        plan(5_000_001, 1, ("320281",), (2024,))


@pytest.mark.parametrize("people", [1, 2, 25])
def test_few_people_can_be_made_up_too(people: int, tmp_path: Path) -> None:
    written = write(plan(people, 3, ("320200",), (2024,)), tmp_path / "few")
    assert len(rows(written / "people.csv")) == people
    assert len(rows(written / "bills.csv")) == 3 * people


def _failing(wanted: Plan) -> Plan:
    """A plan whose people can be written and whose bills cannot."""

    class Failing(Plan):
        def days(self) -> Days:
            raise ZeroDivisionError

    return Failing(wanted.people, wanted.seed, wanted.counties, wanted.years, wanted.bills)


def _vocabulary_categories() -> set[str]:
    return set(load_catalogue(Settings().catalogue).vocabulary.positions)
