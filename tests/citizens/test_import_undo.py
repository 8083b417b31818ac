"""A whole wrong file taken back: what the other files said stands again."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, text

from backend.citizens.exchange import undo_people
from backend.citizens.exchange.registry import UnknownFile
from backend.citizens.exchange.undo import UndoImpossible
from tests.support.delivery import Office, bill, household, identity, number, person


def totals(office: Office) -> list[int]:
    return [row[10] for row in office.content()["bills"]]


def test_rows_return_to_what_they_were_or_go(office: Office) -> None:
    office.load("people", [person(1), person(2)])
    office.load("bills", [bill("B1", 1)])
    before = office.content()
    wrong = office.load("bills", [bill("B1", 2, total="7777.00"), bill("B2", 1)])
    done = office.undo(wrong.serial)
    assert (done.restored, done.removed) == (1, 1)
    assert office.content() == before


def test_undoing_raises_the_versions_of_everybody_concerned(office: Office) -> None:
    office.load("people", [person(1), person(2), person(3)])
    office.load("bills", [bill("B1", 1), bill("B3", 3)])
    wrong = office.load("bills", [bill("B1", 2)])
    before = office.versions()
    office.undo(wrong.serial)
    after = office.versions()
    assert {one for one in (1, 2, 3) if after[number(one)] > before[number(one)]} == {1, 2}


def test_undoing_twice_is_undoing_once(office: Office) -> None:
    report = office.load("bills", [bill("B1", 1)])
    office.undo(report.serial)
    before = office.content()
    assert office.undo(report.serial).before
    assert office.content() == before
    events = office.ask("SELECT count(*) FROM audit_event WHERE action = 'data_file.undo'")
    assert events == [(1,)]


def test_a_serial_that_no_file_has_is_refused(office: Office) -> None:
    with pytest.raises(UnknownFile):
        office.undo(99)


def test_an_undone_file_may_be_loaded_again(office: Office) -> None:
    rows = [bill("B1", 1)]
    report = office.load("bills", rows)
    before = office.content()
    office.undo(report.serial)
    again = office.load("bills", rows)
    assert not again.recognised
    assert again.serial != report.serial
    assert office.content() == before


def test_files_are_undone_in_any_order(office: Office) -> None:
    files = [office.load("bills", [bill("B1", 1, total=f"{n}000.00")]) for n in (1, 2, 3)]
    office.undo(files[1].serial)
    assert totals(office) == [300_000]
    office.undo(files[2].serial)
    assert totals(office) == [100_000]
    office.undo(files[0].serial)
    assert totals(office) == []


def test_a_row_that_a_later_file_brought_unchanged_stands(office: Office) -> None:
    first = office.load("bills", [bill("B1", 1), bill("B2", 1)])
    monthly = office.load("bills", [bill("B1", 1)])
    office.undo(first.serial)
    assert [row[0] for row in office.content()["bills"]] == ["B1"]
    office.undo(monthly.serial)
    assert office.content()["bills"] == []


def test_what_a_file_confirmed_returns_when_a_later_change_is_undone(office: Office) -> None:
    first = office.load("bills", [bill("B1", 1)])
    office.load("bills", [bill("B1", 1) | {"备注": "再报"}])
    wrong = office.load("bills", [bill("B1", 1, total="9000.00")])
    office.undo(first.serial)
    assert totals(office) == [900_000]
    office.undo(wrong.serial)
    assert totals(office) == [100_000]


def test_people_return_to_the_earlier_register_or_are_unknown_again(office: Office) -> None:
    office.load("people", [person(1)])
    office.load("bills", [bill("B1", 1), bill("B2", 2)])
    before = office.content()
    wrong = office.load("people", [person(1, name="错名", insurance="none"), person(2)])
    office.undo(wrong.serial)
    assert office.content() == before
    again = office.load("people", [person(2)])
    assert again.added == 1
    assert office.ask("SELECT count(*) FROM person") == [(2,)]


def test_a_changed_number_is_taken_back(office: Office) -> None:
    office.load("people", [person(1)])
    before = office.content()
    wrong = office.load("people", [person(2, name="测1", former_id_number=number(1))])
    office.undo(wrong.serial)
    assert office.content() == before


def test_a_changed_number_stays_where_a_later_file_says_so_too(office: Office) -> None:
    office.load("people", [person(1)])
    wrong = office.load("people", [person(2, name="测1", former_id_number=number(1))])
    office.load("people", [person(2, name="测1") | {"备注": "下月"}])
    before = office.content()
    office.undo(wrong.serial)
    assert office.content() == before


def test_a_number_given_beside_the_same_data_is_taken_back(office: Office) -> None:
    same = {"name": "测1", "phone": "", "household_no": "H1"}
    office.load("people", [person(1, **same)])
    before = office.content()
    wrong = office.load("people", [person(3, **same, former_id_number=number(1))])
    assert wrong.unchanged == 1
    office.undo(wrong.serial)
    assert office.content() == before


MANY = """
    INSERT INTO data_file (kind, name, sha256, mapping_sha256, size, state, loaded_by)
        SELECT 'people', n::text, n::text::bytea, '', 0, 'loaded', '测试' FROM generate_series(1, 2) n;
    INSERT INTO person (id, known, area, lives_in, household_id, insurance, rural,
            declined_health_service, born_on, sex, name, phone, phone_index, data_key, file_id,
            revision)
        SELECT n, true, 0, 0, 0, 1, false, false, '1960-05-17', 0, '', '', '', '', 1, 1
        FROM generate_series(1, 30000) n;
    INSERT INTO person_number (number_index, person_id, current, number, file_id, revision)
        SELECT n::text::bytea, n, true, '', 1, 1 FROM generate_series(1, 30000) n;
    INSERT INTO data_file_unchanged (file_id, revision, row_ids)
        SELECT 2, 2, array_agg(n ORDER BY n DESC) FROM generate_series(1, 30000) n;
    ANALYZE
"""


def test_whom_a_later_file_registered_is_found_in_one_pass(database: Engine) -> None:
    with database.begin() as connection:
        for statement in MANY.split(";"):
            connection.execute(text(statement))
        connection.execute(text("SET LOCAL statement_timeout = '3s'"))
        given = undo_people.GIVEN.replace("%(file)s", "1")
        assert connection.execute(text(given)).all() == []


def test_intervals_and_incomes_are_taken_back(office: Office) -> None:
    office.load("identities", [identity(1, "2024-01-01")])
    office.load("households", [household("H0", 2023, "1.00")])
    before = office.content()
    later = [identity(1, "2024-01-01", "2024-12-31"), identity(1, "2025-01-01")]
    files = [
        office.load("identities", later),
        office.load("households", [household("H0", 2023, "2.00")]),
    ]
    for report in files:
        office.undo(report.serial)
    assert office.content() == before


def test_a_file_that_later_ones_build_upon_is_named_and_not_undone(office: Office) -> None:
    office.load("identities", [identity(1, "2024-01-01")])
    closing = office.load("identities", [identity(1, "2024-01-01", "2024-12-31")])
    next_ = office.load("identities", [identity(1, "2025-01-01")])
    before = office.content()
    with pytest.raises(UndoImpossible) as refusal:
        office.undo(closing.serial)
    assert str(next_.serial) in refusal.value.faults[0].detail
    assert office.content() == before
    office.undo(next_.serial)
    office.undo(closing.serial)
    assert [row[5] for row in office.content()["identities"]] == ["infinity"]


def test_a_file_that_was_only_begun_can_be_undone(office: Office) -> None:
    def stop(_done: int, _all: int) -> None:
        raise KeyboardInterrupt

    rows = [bill("B1", 1), bill("B2", 1)]
    with pytest.raises(KeyboardInterrupt):
        office.load("bills", rows, chunk_rows=1, progress=stop)
    assert office.ask("SELECT id, state, next_row FROM data_file") == [(1, "loading", 1)]
    office.undo(1)
    assert office.content()["bills"] == []
