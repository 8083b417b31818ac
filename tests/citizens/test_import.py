"""What loading files comes to: the same again, corrections, waiting, what is refused or flagged."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, timedelta

import pytest

from backend.citizens.exchange import overlaps, register_checks
from backend.citizens.exchange.registry import LoadedOtherwise
from backend.kernel import key_file
from backend.kernel.database import transaction
from backend.kernel.yaml_file import FileError
from backend.worklist.items import Closing, close_item
from backend.worklist.kinds import KINDS
from tests.support.delivery import (
    Office,
    bill,
    clear,
    household,
    identity,
    number,
    person,
    vital,
    write,
)

SMALL = {"chunk_rows": 2}


def items(office: Office, kind: str) -> int:
    return len(office.ask(f"SELECT 1 FROM work_item WHERE kind = '{kind}'"))


def test_rows_are_taken_with_counts_and_money(office: Office) -> None:
    report = office.load("bills", [bill("B1", 1), bill("B2", 1, total="2500.50")])
    assert (report.rows, report.added, report.rejected) == (2, 2, 0)
    assert report.money == 350_050
    assert report.waiting == 2


def test_the_same_file_is_recognised_and_changes_nothing(office: Office) -> None:
    path = write(office.folder / "people.csv", [person(1), person(2)])
    first = office.load_path("people", path)
    before, versions = office.content(), office.versions()
    again = office.load_path("people", path)
    assert again.recognised
    assert again.serial == first.serial
    assert (again.rows, again.added) == (first.rows, first.added)
    assert (office.content(), office.versions()) == (before, versions)


def test_the_same_rows_in_another_file_write_nothing(office: Office) -> None:
    rows = {
        "people": [person(1), person(2)],
        "identities": [identity(1, "2024-01-01")],
        "bills": [bill("B1", 1)],
        "vital": [vital(2, "death", "2024-05-01", "医院证明")],
        "households": [household("H0", 2023, "30000.00")],
    }
    for kind, told in rows.items():
        office.load(kind, told)
    before, versions = office.content(), office.versions()
    for kind, told in rows.items():
        report = office.load(kind, [row | {"备注": "再报一次"} for row in told])
        assert (report.added, report.changed, report.unchanged) == (0, 0, len(told)), kind
    assert (office.content(), office.versions()) == (before, versions)
    assert office.ask("SELECT count(*) FROM bill_history") == [(0,)]


def test_the_later_import_wins_and_history_holds_the_earlier(office: Office) -> None:
    office.load("bills", [bill("B1", 1)])
    before = office.ask("SELECT max(revision) FROM bill")[0][0]
    report = office.load("bills", [bill("B1", 1, total="1200.00", diagnosis="N18.5")])
    assert (report.added, report.changed) == (0, 1)
    assert office.ask("SELECT total FROM bill") == [(120_000,)]
    assert office.ask("SELECT total, superseded_by > revision FROM bill_history") == [
        (100_000, True)
    ]
    assert [row[5] for row in office.content()["bills"]] == ["N18.5"]
    assert [row[5] for row in office.content(as_of=before)["bills"]] == ["I10.X00"]


def test_a_change_of_a_sealed_value_alone_is_a_change(office: Office) -> None:
    office.load("bills", [bill("B1", 1)])
    assert office.load("bills", [bill("B1", 1, diagnosis="I10.X01")]).changed == 1


def test_the_later_line_of_one_file_wins(office: Office) -> None:
    rows = [bill("B1", 1, total="1000.00"), bill("B2", 2), bill("B1", 1, total="1100.00")]
    together = office.load("bills", rows)
    assert (together.added, together.unchanged) == (2, 1)
    assert any("重复的行" in note for note in together.notes)
    assert office.ask("SELECT total FROM bill WHERE bill_no = 'B1'") == [(110_000,)]
    apart = [bill("B3", 1, total="1000.00"), bill("B4", 2), bill("B3", 1, total="1100.00")]
    assert office.load("bills", apart, chunk_rows=1).changed == 1
    assert office.ask("SELECT total FROM bill WHERE bill_no = 'B3'") == [(110_000,)]


def test_bills_wait_for_people_and_are_theirs_when_they_arrive(office: Office) -> None:
    assert office.load("bills", [bill("B1", 1)]).waiting == 1
    office.load("identities", [identity(1, "2024-01-01")])
    assert office.ask("SELECT known, area FROM person") == [(False, 0)]
    waiting = office.versions()
    office.load("people", [person(1)])
    assert office.ask("SELECT known, area FROM person") == [(True, 320281100201)]
    assert office.ask("SELECT area FROM bill UNION SELECT area FROM identity") == [(320281100201,)]
    assert office.versions()[number(1)] > waiting[number(1)]
    assert office.load("bills", [bill("B2", 1)]).waiting == 0


def test_a_bill_that_changes_its_person_raises_both_versions(office: Office) -> None:
    office.load("people", [person(1), person(2), person(3)])
    office.load("bills", [bill("B1", 1)])
    before = office.versions()
    office.load("bills", [bill("B1", 2)])
    after = office.versions()
    raised = {serial for serial in (1, 2, 3) if after[number(serial)] > before[number(serial)]}
    assert raised == {1, 2}
    assert [row[5] for row in office.content()["bills"]] == ["I10.X00"]


def test_an_undone_bill_that_comes_again_keeps_its_id(office: Office) -> None:
    first = office.load("bills", [bill("B1", 1)])
    before = office.ask("SELECT id FROM bill")
    office.undo(first.serial)
    assert office.ask("SELECT id FROM bill") == []
    office.load("bills", [bill("B1", 1)])
    assert office.ask("SELECT id FROM bill") == before


def test_rows_at_fault_are_refused_with_line_and_column(office: Office) -> None:
    report = office.load("bills", [bill("B1", 1), bill("B2", 1, in_scope="-1.00"), bill("B3", 1)])
    assert (report.added, report.rejected) == (2, 1)
    assert [(line, column) for line, column, _ in office.rejects(report.serial)] == [
        (3, "in_scope")
    ]


def test_a_file_that_cannot_be_used_leaves_no_trace(office: Office) -> None:
    path = office.folder / "wrong.csv"
    path.write_text("甲,乙\n1,2\n", encoding="utf-8")
    with pytest.raises(FileError):
        office.load_path("bills", path)
    assert office.ask("SELECT count(*) FROM data_file") == [(0,)]


def test_hospitals_and_villages_not_registered_are_taken_and_noted(office: Office) -> None:
    assert any("医疗机构" in note for note in office.load("bills", [bill("B1", 1)]).notes)
    assert any("村" in note for note in office.load("people", [person(1)]).notes)
    hospital = {
        "hospital_code": "Y1", "name": "例医院", "tier": "2", "area_code": "320281100201",
        "designated": "1",
    }  # fmt: skip
    report = office.load("hospitals", [hospital])
    assert (report.added, report.changed) == (1, 0)
    assert office.ask("SELECT registered, tier FROM hospital") == [(True, 2)]


# -- identities over time --------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 2, 100])
def test_overlapping_days_are_refused_with_the_reason(office: Office, size: int) -> None:
    rows = [
        identity(1, "2024-01-01", "2024-12-31"),
        identity(2, "2024-01-01"),
        identity(1, "2024-06-01"),
        identity(1, "2025-01-01"),
        identity(1, "2024-06-01", category="extreme_poverty"),
    ]
    report = office.load("identities", rows, chunk_rows=size)
    assert office.rejects(report.serial) == [(4, "from", overlaps.REASON)]
    assert (report.rows, report.added, report.rejected) == (5, 4, 1)


@pytest.mark.parametrize("size", [1, 2, 100])
def test_a_later_line_may_close_the_interval_that_was_in_the_way(office: Office, size: int) -> None:
    office.load("identities", [identity(1, "2024-01-01")])
    rows = [identity(1, "2025-01-01"), identity(2, "2024-01-01"), identity(3, "2024-01-01")]
    rows.append(identity(1, "2024-01-01", "2024-12-31"))
    report = office.load("identities", rows, chunk_rows=size)
    assert (report.added, report.changed, report.rejected) == (3, 1, 0)
    days = [row[4:6] for row in office.content()["identities"] if row[0] == number(1)]
    assert days == [("2024-01-01", "2024-12-31"), ("2025-01-01", "infinity")]


def test_a_correction_that_would_overlap_leaves_what_stood(office: Office) -> None:
    first = [identity(1, "2024-01-01", "2024-06-30"), identity(1, "2024-07-01")]
    office.load("identities", first)
    before = office.content()
    report = office.load("identities", [identity(1, "2024-01-01", "2024-08-31")])
    assert report.rejected == 1
    assert office.content() == before


def test_a_refused_row_does_not_come_back_over_a_later_line(office: Office) -> None:
    office.load("identities", [identity(1, "2024-01-01")])
    rows = [
        identity(1, "2025-01-01", certificate_no="旧"),
        identity(1, "2024-01-01", "2024-12-31"),
        identity(1, "2025-01-01", certificate_no="新"),
    ]
    report = office.load("identities", rows, chunk_rows=1)
    assert report.rejected == 0
    assert [row[3] for row in office.content()["identities"] if row[4] == "2025-01-01"] == ["新"]


def test_the_size_of_the_chunks_changes_nothing(office: Office) -> None:
    chance = random.Random(7)
    outcomes = []
    deliveries = [[invented(chance) for _ in range(60)] for _ in range(2)]
    for size in (1, 7, 1000):
        clear(office)
        for rows in deliveries:
            report = office.load("identities", rows, chunk_rows=size)
            counts = report.added + report.changed + report.unchanged + report.rejected
            assert counts == report.rows
        told = [line[:2] for line in office.rejects(report.serial)]
        outcomes.append((office.content()["identities"], told))
    assert outcomes[0] == outcomes[1] == outcomes[2]
    assert outcomes[0][1]


def invented(chance: random.Random) -> dict[str, str]:
    """Days that often collide."""
    first = date(2024, 1, 1) + timedelta(days=30 * chance.randrange(8))
    last = first + timedelta(days=chance.choice((0, 29, 30, 65, 95)))
    to = "" if chance.random() < 0.1 else last.isoformat()
    number = str(chance.randrange(3))
    return identity(chance.randrange(12), first.isoformat(), to, certificate_no=number)


def test_who_is_absent_from_a_whole_roster_leaves_the_day_before(office: Office) -> None:
    first = [identity(one, "2023-01-01") for one in (1, 2, 3)]
    first.append(identity(4, "2023-01-01", category="extreme_poverty"))
    origin = {"origin_area": 320281}
    office.load("identities", first, **origin)
    elsewhere = [identity(5, "2023-01-01")]
    office.load("identities", elsewhere, origin_area=320282)
    whole = {"complete_on": date(2024, 7, 1)}
    report = office.load("identities", [first[0], identity(6, "2024-06-01")], **origin, **whole)
    ended = {row[0]: row[5] for row in office.content()["identities"] if row[5] != "infinity"}
    assert ended == {number(2): "2024-06-30", number(3): "2024-06-30"}
    assert any("2 条已终止" in note for note in report.notes)
    office.undo(report.serial)
    assert [row[5] for row in office.content()["identities"]] == ["infinity"] * 5


def ends(office: Office) -> list[str]:
    return [row[5] for row in office.content()["identities"]]


def test_a_roster_declared_whole_later_ends_the_absent(office: Office) -> None:
    rows = [identity(one, "2023-01-01") for one in (1, 2, 3)]
    path = write(office.folder / "roster.csv", rows[:2])
    office.load_path("identities", path)
    office.load("identities", [identity(2, "2023-01-01", "2024-12-31"), rows[2]])
    whole = {"complete_on": date(2024, 7, 1)}
    declared = office.load_path("identities", path, **whole)
    assert ends(office) == ["infinity", "2024-12-31", "2024-06-30"]
    assert not declared.recognised
    assert any("1 条已终止" in note for note in declared.notes)
    assert office.load_path("identities", path, **whole).recognised
    assert office.load_path("identities", path).recognised
    office.undo(declared.serial)
    assert ends(office) == ["2024-12-31", "infinity"]


def test_a_load_that_was_interrupted_may_be_declared_whole_when_it_goes_on(office: Office) -> None:
    def stop(_done: int, _all: int) -> None:
        raise KeyboardInterrupt

    office.load("identities", [identity(3, "2023-01-01")])
    path = write(
        office.folder / "roster.csv", [identity(1, "2023-01-01"), identity(2, "2023-01-01")]
    )
    with pytest.raises(KeyboardInterrupt):
        office.load_path("identities", path, chunk_rows=1, progress=stop)
    office.load_path("identities", path, complete_on=date(2024, 7, 1))
    assert ends(office) == ["infinity", "infinity", "2024-06-30"]


def test_a_file_given_again_as_another_roster_is_refused_with_what_to_do(office: Office) -> None:
    path = write(office.folder / "roster.csv", [identity(1, "2023-01-01")])
    first = office.load_path("identities", path, origin_area=320281, complete_on=date(2024, 7, 1))
    for other in ({"origin_area": 320282}, {"complete_on": date(2024, 8, 1)}):
        with pytest.raises(LoadedOtherwise) as refusal:
            office.load_path("identities", path, **other)
        assert f"--undo {first.serial}" in refusal.value.faults[0].detail


def test_an_empty_roster_declared_whole_ends_nobody_and_says_so(office: Office) -> None:
    office.load("identities", [identity(1, "2023-01-01")])
    path = office.folder / "empty.csv"
    path.write_text(",".join(identity(1, "2023-01-01")) + "\n", encoding="utf-8")
    report = office.load_path("identities", path, complete_on=date(2024, 7, 1))
    assert any("一行也没有" in note for note in report.notes)
    assert ends(office) == ["infinity"]


def test_a_file_that_names_no_origin_leaves_the_one_that_is_known(office: Office) -> None:
    office.load("identities", [identity(1, "2023-01-01")], origin_area=320281)
    office.load("identities", [identity(1, "2023-01-01", "2024-12-31")])
    assert [row[8] for row in office.content()["identities"]] == [320281]


def test_nobody_is_absent_while_rows_are_refused(office: Office) -> None:
    office.load("identities", [identity(1, "2023-01-01"), identity(2, "2023-01-01")])
    day = date(2024, 7, 1)
    rows = [identity(1, "2023-01-01"), identity(2, "不是日期")]
    report = office.load("identities", rows, complete_on=day)
    assert any("暂未终止" in note for note in report.notes)
    assert {row[5] for row in office.content()["identities"]} == {"infinity"}


# -- people ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 100])
def test_one_number_with_two_names_in_a_file_is_refused(office: Office, size: int) -> None:
    rows = [person(1), person(2), person(1, name="测别")]
    report = office.load("people", rows, chunk_rows=size)
    assert office.rejects(report.serial) == [(4, "name", register_checks.TWO_NAMES)]
    assert items(office, "name_changed") == 0


def test_two_names_are_refused_also_where_the_first_stood_before(office: Office) -> None:
    office.load("people", [person(1)])
    rows = [person(1), person(2), person(1, name="测别")]
    report = office.load("people", rows, chunk_rows=1)
    assert [line for line, *_ in office.rejects(report.serial)] == [4]


def test_another_name_in_a_later_file_is_taken_and_shown_to_somebody(office: Office) -> None:
    office.load("people", [person(1)])
    assert office.load("people", [person(1, name="测新")]).changed == 1
    assert office.content()["people"][0][1] == "测新"
    assert items(office, "name_changed") == 1


def test_a_telephone_of_many_households_is_taken_and_shown_once(office: Office) -> None:
    many = [person(one, phone="13900000000", household_no=f"P{one}") for one in range(1, 301)]
    report = office.load("people", many, chunk_rows=100)
    assert (report.added, report.rejected) == (300, 0)
    assert items(office, "phone_shared") == 1


def test_a_telephone_looked_at_for_few_households_is_shown_again_for_many(office: Office) -> None:
    def sharing(last: int) -> list[dict[str, str]]:
        return [
            person(one, phone="13900000000", household_no=f"P{one}") for one in range(1, last + 1)
        ]

    def subjects() -> set[tuple[object, ...]]:
        query = "SELECT DISTINCT subject_id FROM work_item WHERE kind = 'phone_shared'"
        return set(office.ask(query))

    office.load("people", sharing(6))
    (item,) = office.ask("SELECT id FROM work_item WHERE kind = 'phone_shared'")
    with transaction() as session:
        outcome = next(iter(KINDS["phone_shared"].outcomes))
        close_item(session, item[0], Closing(outcome, "测试"))
    office.load("people", sharing(9))
    assert items(office, "phone_shared") == 1
    standing = subjects()
    content = key_file.read(office.keyring.path).added("aes")
    key_file.write(office.keyring.path, replace(content, active=2))
    office.keyring.refresh()
    office.load("people", sharing(120))
    assert items(office, "phone_shared") == 2
    assert subjects() == standing


def test_a_telephone_of_a_few_households_is_nothing_special(office: Office) -> None:
    few = [person(one, phone="13900000000", household_no=f"P{one}") for one in range(1, 6)]
    office.load("people", few)
    assert items(office, "phone_shared") == 0


def test_a_changed_number_keeps_the_person(office: Office) -> None:
    office.load("people", [person(1)])
    office.load("bills", [bill("B1", 1)])
    before = office.ask("SELECT id FROM person")
    report = office.load("people", [person(2, name="测1", former_id_number=number(1))])
    assert office.ask("SELECT id FROM person") == before
    assert (report.added, report.changed) == (0, 1)
    office.load("bills", [bill("B2", 1), bill("B3", 2)])
    assert {row[1] for row in office.content()["bills"]} == {number(2)}
    assert office.content()["numbers"] == [
        (number(1), False, number(2)),
        (number(2), True, number(2)),
    ]


def test_a_former_number_that_nobody_had_leads_to_the_person(office: Office) -> None:
    office.load("people", [person(2, former_id_number=number(1))])
    office.load("bills", [bill("B1", 1)])
    assert [row[1] for row in office.content()["bills"]] == [number(2)]


def test_old_and_new_number_in_one_file_are_one_person(office: Office) -> None:
    rows = [person(1), person(2, name="测1", former_id_number=number(1))]
    office.load("people", rows)
    assert [row[0] for row in office.content()["people"]] == [number(2)]


def test_two_people_found_to_be_one_are_merged_and_versions_rise(office: Office) -> None:
    office.load("people", [person(1), person(2, household_no="H9")])
    office.load("bills", [bill("B1", 1), bill("B2", 2)])
    office.load("identities", [identity(1, "2024-01-01"), identity(2, "2024-03-01")])
    before = office.ask("SELECT person_id, data_version FROM person_version ORDER BY 1")
    standing = office.content()
    report = office.load("people", [person(2, household_no="H9", former_id_number=number(1))])
    content = office.content()
    assert {row[1] for row in content["bills"]} == {number(2)}
    assert [row[5] for row in content["bills"]] == ["I10.X00", "I10.X00"]
    assert [row[4] for row in content["identities"]] == ["2024-03-01"]
    assert [row[0] for row in content["people"]] == [number(2)]
    after = office.ask("SELECT person_id, data_version FROM person_version ORDER BY 1")
    assert all(new[1] > old[1] for new, old in zip(after, before, strict=True))
    assert content["numbers"] == [
        (number(1), False, number(2)),
        (number(2), True, number(2)),
    ]
    assert items(office, "people_merged") == 1
    office.undo(report.serial)
    assert office.content() == standing


def test_people_merged_after_their_numbers_had_changed_have_one_current_number(
    office: Office,
) -> None:
    office.load("people", [person(1, name="测甲"), person(2, name="测甲")])
    office.load("people", [person(3, name="测甲", former_id_number=number(1))])
    office.load("people", [person(4, name="测甲", former_id_number=number(2))])
    standing = office.content()
    report = office.load("people", [person(2, name="测甲", former_id_number=number(1))])
    assert [row[:2] for row in office.content()["numbers"]] == [
        (number(1), False), (number(2), True), (number(3), False), (number(4), False),
    ]  # fmt: skip
    office.undo(report.serial)
    assert office.content() == standing


def test_a_newborn_on_a_guardians_record_is_a_person(office: Office) -> None:
    born = {"id_number": "", "guardian_id_number": number(1), "born_on": "2024-02-03", "phone": ""}
    row = person(9, name="测婴", **born)
    office.load("people", [person(1), row])
    again = office.load("people", [row | {"备注": "再报"}])
    assert again.unchanged == 1
    newborn = [one for one in office.content()["people"] if one[1] == "测婴"]
    assert [(one[5], one[10]) for one in newborn] == [(number(1), "2024-02-03")]


def test_a_newborn_keeps_the_id_with_the_own_number(office: Office) -> None:
    on = {"guardian_id_number": number(1), "born_on": "2024-02-03", "name": "测婴"}
    office.load("people", [person(1), person(9, **on, id_number="")])
    before = office.ask("SELECT id FROM person ORDER BY id")
    own = number(7, date(2024, 2, 3))
    office.load("people", [person(9, **on) | {"id_number": own}])
    assert office.ask("SELECT id FROM person ORDER BY id") == before
    assert own in {row[0] for row in office.content()["people"]}


def test_deaths_and_exits_end_a_person_and_undoing_brings_them_back(office: Office) -> None:
    office.load("people", [person(1), person(2)])
    before = office.content()
    report = office.load(
        "vital", [vital(1, "death", "2024-05-01"), vital(2, "moved_away", "2024-06-01")]
    )
    days = {row[0]: row[-2:] for row in office.content()["people"]}
    assert days == {
        number(1): ("2024-05-01", "infinity"),
        number(2): ("infinity", "2024-06-01"),
    }
    office.undo(report.serial)
    assert office.content() == before


ELSEWHERE = "330382001001"


def left_on(office: Office) -> list[str]:
    return [row[-1] for row in office.content()["people"]]


def test_who_left_one_county_and_is_registered_in_another_is_there_in_full(office: Office) -> None:
    office.load("people", [person(1)])
    office.load("vital", [vital(1, "moved_away", "2024-06-01")])
    office.load("people", [person(1, phone="13900000009")])
    assert left_on(office) == ["2024-06-01"]
    standing = office.content()
    there = office.load("people", [person(1, registered_area_code=ELSEWHERE)])
    assert left_on(office) == ["infinity"]
    assert [row[2] for row in office.content()["vital"]] == ["moved_away"]
    office.load(
        "vital", [vital(1, "moved_away", "2024-06-01", "更正"), vital(2, "death", "2024-07-01")]
    )
    assert left_on(office) == ["infinity"]
    office.load("vital", [vital(1, "moved_away", "2025-03-01")])
    assert left_on(office) == ["2025-03-01"]
    office.undo(5)
    office.undo(6)
    office.undo(there.serial)
    assert office.content()["people"] == standing["people"]


def test_who_comes_back_to_the_county_they_left_is_there_in_full_again(office: Office) -> None:
    office.load("vital", [vital(1, "moved_away", "2024-06-01")])
    office.load("people", [person(1)])
    assert left_on(office) == ["2024-06-01"]
    away = office.load("people", [person(1, registered_area_code=ELSEWHERE)])
    office.load("people", [person(1, phone="13900000009")])
    assert left_on(office) == ["infinity"]
    office.undo(away.serial)
    assert left_on(office) == ["2024-06-01"]


def test_a_death_known_before_the_person_holds_when_they_arrive(office: Office) -> None:
    office.load("vital", [vital(1, "death", "2024-05-01")])
    office.load("people", [person(1)])
    assert [row[-2] for row in office.content()["people"]] == ["2024-05-01"]
