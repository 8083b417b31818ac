"""Rosters that are declared whole, and which counties they are whole for."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import text

from backend.citizens.exchange.covered import CountiesMissing
from tests.support.delivery import Office, identity, number, person, write

ELSEWHERE = {"registered_area_code": "320282100201", "area_code": "320282100201"}
WHOLE = {"complete_on": date(2024, 7, 1)}


def cadre(serial: int, to: str = "") -> dict[str, str]:
    return {
        "id_number": number(serial), "role": "cadre", "staff_no": "G1", "from": "2023-01-01",
        "to": to,
    }  # fmt: skip


@pytest.fixture
def two_counties(office: Office) -> Office:
    """People 1 and 2 in one county, 3 and 4 in another, 5 not registered; all on the rosters."""
    office.load("people", [person(1), person(2), person(3, **ELSEWHERE), person(4, **ELSEWHERE)])
    office.load("identities", [identity(one, "2023-01-01") for one in (1, 2, 3, 4, 5)])
    office.load("assignments", [cadre(one) for one in (1, 2, 3, 4, 5)])
    return office


def standing(office: Office, kind: str) -> set[str]:
    to = 5 if kind == "identities" else 4
    return {row[0][-4:-1] for row in office.content()[kind] if row[to] == "infinity"}


ROSTERS = {"identities": lambda one: identity(one, "2023-01-01"), "assignments": cadre}


@pytest.mark.parametrize("kind", ROSTERS)
def test_a_whole_roster_that_misses_a_county_and_names_no_area_is_not_taken(
    two_counties: Office, kind: str
) -> None:
    before, files = two_counties.content(), two_counties.ask("SELECT count(*) FROM data_file")
    with pytest.raises(CountiesMissing) as refusal:
        two_counties.load(kind, [ROSTERS[kind](1), ROSTERS[kind](9)], **WHOLE)
    said = refusal.value.faults[0].detail
    assert "宜兴市（320282）2 人" in said
    assert "--area" in said
    assert two_counties.content() == before
    assert two_counties.ask("SELECT count(*) FROM data_file") == files


@pytest.mark.parametrize("kind", ROSTERS)
def test_a_roster_taken_before_is_not_declared_whole_where_it_misses_a_county(
    two_counties: Office, kind: str
) -> None:
    path = write(two_counties.folder / "roster.csv", [ROSTERS[kind](1)])
    two_counties.load_path(kind, path)
    before = two_counties.content()
    with pytest.raises(CountiesMissing):
        two_counties.load_path(kind, path, **WHOLE)
    assert two_counties.content() == before


@pytest.mark.parametrize("kind", ROSTERS)
def test_a_whole_roster_ends_the_absent_of_the_area_that_is_named(
    two_counties: Office, kind: str
) -> None:
    two_counties.load(kind, [ROSTERS[kind](1)], origin_area=320281, **WHOLE)
    assert standing(two_counties, kind) == {"001", "003", "004", "005"}
    two_counties.load(kind, [ROSTERS[kind](1), ROSTERS[kind](1)], origin_area=320200, **WHOLE)
    assert standing(two_counties, kind) == {"001", "005"}


@pytest.mark.parametrize("kind", ROSTERS)
def test_a_whole_roster_that_reaches_every_county_ends_the_absent_who_are_registered(
    two_counties: Office, kind: str
) -> None:
    report = two_counties.load(kind, [ROSTERS[kind](one) for one in (1, 3, 8)], **WHOLE)
    assert standing(two_counties, kind) == {"001", "003", "005", "008"}
    assert any("2 条已终止" in note for note in report.notes)
    assert any("另有 1 条不在册，但人还没有登记" in note for note in report.notes)


def test_other_categories_and_rosters_of_other_origins_ask_for_no_area(office: Office) -> None:
    office.load("people", [person(1), person(2), person(3, **ELSEWHERE), person(4, **ELSEWHERE)])
    office.load("identities", [identity(one, "2023-01-01") for one in (1, 2)])
    office.load("identities", [identity(3, "2023-01-01", category="extreme_poverty")])
    office.load("identities", [identity(4, "2023-01-01")], origin_area=320282)
    office.load("identities", [identity(1, "2023-01-01")], **WHOLE)
    assert standing(office, "identities") == {"001", "003", "004"}


def test_a_whole_roster_neither_ends_nor_changes_a_recognition_made_here(office: Office) -> None:
    office.load("people", [person(1), person(2)])
    office.load("identities", [identity(one, "2023-01-01") for one in (1, 2)])
    with office.engine.begin() as connection:
        connection.execute(text("UPDATE identity SET application_id = 7"))
    # Neither absent from the roster, nor in it with days of its own, is it touched or in the way.
    report = office.load("identities", [identity(1, "2023-06-01")], **WHOLE)
    assert report.rejected == 0
    rows = office.ask(
        "SELECT application_id, from_on::text, to_on::text FROM identity ORDER BY 1, 2"
    )
    assert [tuple(row) for row in rows] == [
        (0, "2023-06-01", "infinity"),
        (7, "2023-01-01", "infinity"), (7, "2023-01-01", "infinity"),
    ]  # fmt: skip
    again = office.load("identities", [identity(1, "2023-01-01", to="2023-03-01")])
    assert (again.rejected, len(office.ask("SELECT 1 FROM identity WHERE application_id = 7"))) == (
        0,
        2,
    )
