"""A run over a few people: grants, differences, settling, and that nothing is written twice."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from backend.kernel.copy import raw
from backend.kernel.database import transaction
from backend.matching.dry_run import dry_run
from backend.matching.explaining import explain_grants
from backend.matching.ledger import EntryKind, Reason
from backend.matching.parts import slices_of
from backend.matching.reading import Reader
from backend.matching.release import RunNotComputed, SecondPersonNeeded, release_run
from backend.matching.runs import (
    StartRun,
    compute_part,
    finish_run,
    nothing_changed,
    start_run,
    summaries,
    total_of,
)
from tests.support.audited import CLERK
from tests.support.register import JIANGYIN, YUEQING, ZHANGJIAGANG, Register

TODAY = date(2025, 1, 2)
LOW = "subsistence_allowance"
Ledger = list[tuple[str, str, int, int]]


@pytest.fixture
def register(database: Engine) -> Register:
    return Register(database)


def run(area: str = "320281", year: int = 2024, **more: Any) -> dict[str, Any]:
    """One whole run, here and now."""
    with transaction() as session:
        begun = start_run(session, StartRun(area, year, date(year, 12, 31), "测试", **more))
    for number in begun.parts:
        with transaction() as session:
            compute_part(session, begun.run_id, number)
    with transaction() as session:
        assert finish_run(session, begun.run_id)
        return total_of(summaries(session, begun.run_id)) | {"run": begun.run_id}


def ledger(engine: Engine) -> Ledger:
    """Bill number, layer, kind and amount of every entry."""
    query = text(
        "SELECT coalesce(b.bill_no, 'gone'), c.code, g.kind, g.amount FROM grant_entry g"
        " LEFT JOIN bill b ON b.id = g.bill_id"
        " JOIN code_number c ON c.kind = 'layer' AND c.number = g.layer"
        " ORDER BY 1, 2, g.seq"
    )
    with engine.connect() as connection:
        return [(b, layer, EntryKind(k), a) for b, layer, k, a in connection.execute(query)]


def test_a_beneficiary_is_granted_what_the_policy_gives(
    register: Register, database: Engine
) -> None:
    register.person("甲")
    register.identity("甲", LOW, "2023-01-01")
    register.bill(
        "甲", "B1", "2024-03-09", "152000.00", in_scope="148000.00", paid={"basic": "30000.00"},
        flags=("referred", "in_province", "designated"),
    )  # fmt: skip
    run()
    assert ledger(database) == [
        ("B1", "medical_assistance", EntryKind.GRANT, 10_030_000),
        ("B1", "tilt_assistance", EntryKind.GRANT, 702_000),
    ]


def test_a_second_run_over_unchanged_data_writes_nothing(
    register: Register, database: Engine
) -> None:
    register.person("甲")
    register.identity("甲", LOW, "2023-01-01")
    register.bill("甲", "B1", "2024-03-09", "1000.00", paid={"basic": "400.00"})
    first = run()
    again, full = run(), run(full=True)
    assert (first["computed"], again["computed"], full["computed"]) == (1, 0, 1)
    assert nothing_changed(again)
    assert nothing_changed(full)
    assert len(ledger(database)) == 1


def test_a_corrected_bill_gives_exactly_the_difference(
    register: Register, database: Engine
) -> None:
    register.person("甲")
    register.identity("甲", LOW, "2023-01-01")
    register.bill("甲", "B1", "2024-03-09", "1000.00", paid={"basic": "400.00"})
    run()
    register.bill("甲", "B1", "2024-03-09", "1200.00", paid={"basic": "400.00"})
    run()
    register.bill("甲", "B1", "2024-03-09", "900.00", paid={"basic": "400.00"})
    run()
    layer = "medical_assistance"
    assert ledger(database) == [
        ("B1", layer, EntryKind.GRANT, 51_000),
        ("B1", layer, EntryKind.TOP_UP, 17_000),
        ("B1", layer, EntryKind.REFUND_DUE, -25_500),
    ]


def test_each_entry_is_explained_as_it_was_decided(register: Register, database: Engine) -> None:
    register.person("甲")
    identity = register.identity("甲", LOW, "2023-01-01")
    register.bill("甲", "B1", "2024-03-09", "1000.00", paid={"basic": "400.00"})
    run()
    register.bill("甲", "B1", "2024-03-09", "1200.00", paid={"basic": "400.00"})
    run()
    register.end_identity(identity, "2023-12-31")
    run()
    with transaction() as session:
        first, second, third = explain_grants(session, CLERK, "B1")
    assert [one.amount_after for one in (first, second, third)] == [51_000, 68_000, 0]
    assert first.payment is not None
    assert first.payment.explained is not None
    assert first.payment.explained.identity == LOW
    assert first.payment.explained.steps
    assert second.reasons == ("这张结算单有更正或撤回",)
    assert third.reasons == ("困难身份有变化",)


def test_an_amount_paid_as_granted_settles_the_grant(register: Register, database: Engine) -> None:
    register.person("甲")
    register.identity("甲", LOW, "2023-01-01")
    register.bill("甲", "B1", "2024-03-09", "1000.00", paid={"basic": "400.00"})
    run()
    settled = {"basic": "400.00", "medical_assistance": "510.00"}
    register.bill("甲", "B1", "2024-03-09", "1000.00", paid=settled)
    run()
    again = run(full=True)
    assert [kind for _, _, kind, _ in ledger(database)] == [EntryKind.GRANT, EntryKind.SETTLED]
    assert nothing_changed(again)
    assert again["opened"] == 0


def test_another_amount_paid_is_a_case_for_a_person(register: Register, database: Engine) -> None:
    register.person("甲")
    register.identity("甲", LOW, "2023-01-01")
    register.bill("甲", "B1", "2024-03-09", "1000.00", paid={"basic": "400.00"})
    run()
    other = {"basic": "400.00", "medical_assistance": "500.00"}
    register.bill("甲", "B1", "2024-03-09", "1000.00", paid=other)
    assert run()["opened"] == 1
    assert run(full=True)["opened"] == 0
    assert [kind for _, _, kind, _ in ledger(database)] == [EntryKind.GRANT]


def test_a_bill_taken_back_is_a_refund_due(register: Register, database: Engine) -> None:
    register.person("甲")
    register.identity("甲", LOW, "2023-01-01")
    register.bill("甲", "B1", "2024-03-09", "1000.00", paid={"basic": "400.00"})
    run()
    register.forget_bill("B1")
    run()
    assert [entry[2:] for entry in ledger(database)] == [
        (EntryKind.GRANT, 51_000),
        (EntryKind.REFUND_DUE, -51_000),
    ]


def test_a_better_identity_with_the_same_amount_is_noted_without_money(
    register: Register, database: Engine
) -> None:
    register.person("甲")
    register.identity("甲", "entitled_veteran", "2023-01-01")
    register.bill("甲", "B1", "2024-03-09", "1000.00", paid={"basic": "400.00"})
    run()
    register.identity("甲", LOW, "2023-01-01")
    run()
    kinds = [kind for _, _, kind, _ in ledger(database)]
    assert kinds in ([EntryKind.GRANT], [EntryKind.GRANT, EntryKind.RESTATED])
    with transaction() as session:
        last = explain_grants(session, CLERK, "B1")[-1]
    assert last.payment is not None
    assert last.amount_after == last.payment.amount


@pytest.mark.parametrize("status", ["none", "elsewhere"])
def test_who_is_not_insured_here_is_paid_nothing_but_looked_after(
    register: Register, database: Engine, status: str
) -> None:
    register.person("甲", insurance=status)
    register.identity("甲", LOW, "2023-01-01")
    register.bill("甲", "B1", "2024-03-09", "1000.00", paid={"basic": "400.00"})
    total = run()
    assert ledger(database) == []
    assert total["opened"] == 1


def test_insurance_counts_on_the_day_of_the_bill(register: Register, database: Engine) -> None:
    register.person("甲")
    register.identity("甲", LOW, "2023-01-01")
    register.bill("甲", "B1", "2024-03-09", "1000.00", paid={"basic": "400.00"})
    register.bill("甲", "B2", "2024-06-09", "1000.00", paid={"basic": "400.00"})
    register.insurance_change("甲", "2024-05-01", "elsewhere")
    run()
    assert [entry[0] for entry in ledger(database)] == ["B1"]


def test_bills_after_death_or_moving_away_are_for_a_person(
    register: Register, database: Engine
) -> None:
    register.person("甲", died_on=date(2024, 3, 1))
    register.person("乙", left_on=date(2024, 3, 1))
    for name in "甲乙":
        register.identity(name, LOW, "2023-01-01")
        register.bill(name, f"{name}1", "2024-02-29", "1000.00", paid={"basic": "400.00"})
        register.bill(name, f"{name}2", "2024-03-09", "1000.00", paid={"basic": "400.00"})
    register.bill("甲", "甲0", "2024-03-02", "1000.00", admitted="2024-02-20")
    total = run()
    assert {entry[0] for entry in ledger(database)} == {"甲0", "甲1", "乙1"}
    assert total["opened"] == 3


def test_a_bill_that_comes_late_changes_the_later_ones_of_the_year(
    register: Register, database: Engine
) -> None:
    register.person("甲")
    register.identity("甲", "severely_disabled", "2023-01-01")
    register.bill("甲", "B2", "2024-06-09", "300000.00")
    run()
    register.bill("甲", "B1", "2024-03-09", "300000.00")
    run()
    assert ledger(database) == [
        ("B1", "medical_assistance", EntryKind.GRANT, 21_000_000),
        ("B2", "medical_assistance", EntryKind.GRANT, 21_000_000),
        ("B2", "medical_assistance", EntryKind.REFUND_DUE, -12_000_000),
    ]
    with database.connect() as connection:
        reasons = connection.execute(
            text("SELECT reason FROM grant_entry WHERE kind = 3")
        ).scalars().all()  # fmt: skip
    assert reasons == [Reason.OTHER_BILL]


def test_a_run_covers_its_area_only(register: Register, database: Engine) -> None:
    register.person("甲")
    register.person("乙", YUEQING)
    for name in "甲乙":
        register.identity(name, LOW, "2023-01-01")
        register.bill(name, name, "2024-03-09", "1000.00", paid={"basic": "400.00"})
    run("320200")
    assert [entry[0] for entry in ledger(database)] == ["甲"]
    run("330382")
    assert {entry[0] for entry in ledger(database)} == {"甲", "乙"}


def test_two_different_people_release_a_run_and_then_people_are_told(
    register: Register, database: Engine
) -> None:
    told = text("SELECT person_id, kind FROM notice_due ORDER BY 1, 2")
    register.person("甲")
    register.person("乙")
    register.person("丙", died_on=date(2024, 12, 1))
    for name in "甲丙":
        register.identity(name, LOW, "2023-01-01")
        register.bill(name, name, "2024-03-09", "1000.00", paid={"basic": "400.00"})
    number = run()["run"]
    with transaction() as session:
        assert not release_run(session, number, "县一", TODAY)
    for again in ("县一", " 县一 ", "县\u200b一"):
        with pytest.raises(SecondPersonNeeded), transaction() as session:
            release_run(session, number, again, TODAY)
    with database.connect() as connection:
        assert connection.execute(told).all() == []
    with transaction() as session:
        assert release_run(session, number, "县二", TODAY)
    with database.connect() as connection:
        own = register.ids["甲"]
        assert connection.execute(told).all() == [(own, "entitlement"), (own, "grant")]
    with pytest.raises(RunNotComputed), transaction() as session:
        release_run(session, number, "县三", TODAY)


def test_the_ledger_cannot_be_changed(register: Register, database: Engine) -> None:
    register.person("甲")
    register.identity("甲", LOW, "2023-01-01")
    register.bill("甲", "B1", "2024-03-09", "1000.00")
    run()
    with pytest.raises(Exception, match="record"), database.begin() as connection:
        connection.execute(text("UPDATE grant_entry SET amount = 1"))


LOCALITIES = """
adoptions: [{area: "320300", policy: plan-2026, from: 2026-01-01, to: 2026-12-31}]
serious_illness_bases:
  - {area: "320582", from: 2024-01-01, to: 2024-06-30, deductible: "20000.00", rate: "0.60", source: 甲}
  - {area: "320582", from: 2024-07-01, to: 2024-12-31, deductible: "10000.00", rate: "0.65", source: 乙}
"""


@pytest.fixture
def locality(tmp_path: Path) -> Path:
    (tmp_path / "localities.yaml").write_text(LOCALITIES, encoding="utf-8")
    return tmp_path


def test_a_template_holds_where_a_place_adopted_it(
    register: Register, database: Engine, locality: Path
) -> None:
    register.person("甲", 320312_101_001)
    register.identity("甲", "extreme_poverty", "2023-01-01")
    register.bill("甲", "B1", "2026-03-09", "1000.00", paid={"basic": "400.00"})
    assert nothing_changed(run("320300", 2026))
    run("320300", 2026, catalogue=(locality,))
    assert [entry[3] for entry in ledger(database)] == [54_000]


def test_a_base_that_changes_within_the_year_holds_bill_by_bill(
    register: Register, database: Engine, locality: Path
) -> None:
    register.person("甲", ZHANGJIAGANG)
    register.bill("甲", "B1", "2024-03-09", "30000.00")
    register.bill("甲", "B2", "2024-09-09", "30000.00")
    register.person("乙", ZHANGJIAGANG)
    register.identity("乙", LOW, "2023-01-01")
    register.bill("乙", "C1", "2024-09-09", "30000.00")
    run("320582", catalogue=(locality,))
    assert ledger(database) == [
        ("B1", "serious_illness", EntryKind.GRANT, 600_000),
        ("B2", "serious_illness", EntryKind.GRANT, 1_950_000),
        ("C1", "medical_assistance", EntryKind.GRANT, 1_062_500),
        ("C1", "serious_illness", EntryKind.GRANT, 1_750_000),
    ]
    with transaction() as session:
        explained = explain_grants(session, CLERK, "C1")
    assert [one.amount_after for one in explained] == [1_750_000, 1_062_500]


def test_each_slice_holds_its_own_people_and_no_others(
    register: Register, database: Engine
) -> None:
    places = [320281_100_001, 320281_100_002, 320281_101_001, 320281_102_001, 320282_100_001]
    for number in range(20):
        register.person(str(number), places[number % 5] if number < 15 else places[0])
    with transaction() as session:
        slices = slices_of(raw(session), "320200", 2024, lambda county: 4)
        held = [Reader(raw(session), one).people(None)["id"].tolist() for one in slices]
    assert sorted(own for one in held for own in one) == sorted(register.ids.values())
    assert all(len(one) <= 4 for one in held)


@pytest.mark.parametrize("largest", [1, 20])
def test_a_bill_that_was_another_persons_is_paid_back_by_one_and_paid_to_the_other(
    register: Register, database: Engine, largest: int
) -> None:
    for name in "甲乙":
        register.person(name)
        register.identity(name, LOW, "2023-01-01")
    for first, second in ("甲乙", "乙甲"):
        number = f"B{first}"
        register.bill(first, number, "2024-03-09", "1000.00", paid={"basic": "400.00"})
        run(largest=largest)
        register.bill(second, number, "2024-03-09", "1000.00", paid={"basic": "400.00"})
        run(largest=largest)
        assert nothing_changed(run(full=True, largest=largest))
        with database.connect() as connection:
            entries = connection.execute(
                text(
                    "SELECT g.person_id, g.amount, g.amount_after FROM grant_entry g"
                    " JOIN bill b ON b.id = g.bill_id WHERE b.bill_no = :number ORDER BY g.seq"
                ),
                {"number": number},
            ).all()
        assert entries == [
            (register.ids[first], 51_000, 51_000),
            (register.ids[first], -51_000, 0),
            (register.ids[second], 51_000, 51_000),
        ]
        with transaction() as session:
            assert [one.amount_after for one in explain_grants(session, CLERK, number)] == [
                51_000, 0, 51_000,
            ]  # fmt: skip


def test_what_was_granted_to_people_of_a_file_taken_back_is_a_refund_due(
    register: Register, database: Engine
) -> None:
    register.person("甲")
    register.identity("甲", LOW, "2023-01-01")
    register.bill("甲", "B1", "2024-03-09", "1000.00", paid={"basic": "400.00"})
    first = run()
    register.change_person("甲", known=False, area=0)
    gone = run()
    assert [entry[2:] for entry in ledger(database)] == [
        (EntryKind.GRANT, 51_000),
        (EntryKind.REFUND_DUE, -51_000),
    ]
    assert (gone["in_kind_added"], gone["in_kind_ended"]) == (0, first["in_kind_added"])
    assert nothing_changed(run(full=True))
    register.change_person("甲", known=True, area=JIANGYIN)
    assert run()["in_kind_added"] == first["in_kind_added"]
    assert [entry[3] for entry in ledger(database)] == [51_000, -51_000, 51_000]


def test_the_same_entitlement_stands_once_whatever_runs(
    register: Register, database: Engine
) -> None:
    register.person("甲")
    register.identity("甲", LOW, "2023-01-01")
    run()
    again = text(
        "INSERT INTO entitlement SELECT person_id, year, policy, code, from_on, 0, 99, to_on,"
        " delivery, area FROM entitlement"
    )
    with pytest.raises(Exception, match="pk_entitlement"), database.begin() as connection:
        connection.execute(again)


def test_a_dry_run_shows_what_a_run_would_write_and_writes_nothing(
    register: Register, database: Engine
) -> None:
    register.person("甲")
    identity = register.identity("甲", LOW, "2023-01-01")
    register.bill("甲", "B1", "2024-03-09", "1000.00", paid={"basic": "400.00"})
    command = StartRun("320281", 2024, TODAY, "测试")
    assert dry_run(command)["entries"] == {"medical_assistance": {"grant": [1, 51_000]}}
    assert ledger(database) == []
    run()
    register.end_identity(identity, "2024-06-30")
    shown = dry_run(command)
    assert (shown["in_kind_added"], shown["in_kind_ended"]) == (2, 2)
    with database.connect() as connection:
        states = text("SELECT DISTINCT ended_by_run FROM entitlement")
        assert connection.execute(states).scalars().all() == [0]


def open_kinds(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        query = text("SELECT kind FROM work_item WHERE state <> 'done' ORDER BY kind")
        return list(connection.execute(query).scalars())


@pytest.mark.parametrize(
    ("status", "kind"), [("none", "enrol_first"), ("elsewhere", "insured_elsewhere")]
)
def test_who_lost_insurance_before_a_bill_is_looked_after_until_it_is_put_right(
    register: Register, database: Engine, status: str, kind: str
) -> None:
    register.person("甲")
    register.identity("甲", LOW, "2023-01-01")
    register.bill("甲", "B1", "2024-06-15", "1000.00", paid={"basic": "400.00"})
    register.insurance_change("甲", "2024-06-01", status)
    run()
    assert (ledger(database), open_kinds(database)) == ([], [kind])
    register.insurance_change("甲", "2024-06-02", "resident")
    run()
    assert [entry[0] for entry in ledger(database)] == ["B1"]
    assert open_kinds(database) == []


def test_who_was_enrolled_since_is_not_asked_about(register: Register, database: Engine) -> None:
    register.person("甲", insurance="none")
    register.identity("甲", LOW, "2023-01-01")
    register.insurance_change("甲", "2024-03-01", "resident")
    run()
    assert open_kinds(database) == []


def test_what_was_asked_about_a_merged_person_is_asked_about_the_one_they_are(
    register: Register, database: Engine
) -> None:
    for name in ("甲", "乙"):
        register.person(name, insurance="none")
    register.identity("甲", LOW, "2023-01-01")
    run()
    register.merge("甲", "乙")
    run()
    with database.connect() as connection:
        waiting = text("SELECT kind, person_id FROM work_item WHERE state <> 'done'")
        found = [tuple(row) for row in connection.execute(waiting)]
    assert found == [("enrol_first", register.ids["乙"])]


def test_a_case_of_another_amount_ends_when_the_file_is_corrected(
    register: Register, database: Engine
) -> None:
    register.person("甲")
    register.identity("甲", LOW, "2023-01-01")
    register.bill("甲", "B1", "2024-03-09", "1000.00", paid={"basic": "400.00"})
    run()
    for paid, waiting in (("500.00", ["amount_differs"]), ("510.00", [])):
        own = {"basic": "400.00", "medical_assistance": paid}
        register.bill("甲", "B1", "2024-03-09", "1000.00", paid=own)
        run()
        assert open_kinds(database) == waiting


def test_a_list_that_a_county_is_asked_for_is_opened_once_for_all_its_parts(
    register: Register, database: Engine
) -> None:
    for number in range(4):
        register.person(str(number), YUEQING + number * 1000)
        register.identity(str(number), LOW, "2023-01-01")
    run("330382", largest=1)
    kinds = open_kinds(database)
    assert kinds
    assert set(kinds) == {"entitlement_question"}
    run("330382", full=True, largest=1)
    assert open_kinds(database) == kinds


def test_people_under_other_rules_are_told_so(register: Register, database: Engine) -> None:
    register.person("甲")
    register.identity("甲", "poverty_monitored", "2023-01-01")
    register.bill("甲", "B1", "2024-03-09", "1000.00", paid={"basic": "400.00"})
    number = run()["run"]
    for by in ("县一", "县二"):
        with transaction() as session:
            release_run(session, number, by, TODAY)
    with database.connect() as connection:
        told = connection.execute(text("SELECT kind, cause FROM notice_due")).all()
    assert told == [("other_rules", "policy:wuxi-2022-98/2024")]


def test_an_entry_of_another_engine_is_not_called_tampered_with(
    register: Register, database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    register.person("甲")
    register.identity("甲", LOW, "2023-01-01")
    register.bill("甲", "B1", "2024-03-09", "1000.00", paid={"basic": "400.00"})
    run()
    monkeypatch.setattr("backend.matching.explaining.ENGINE", 2)
    with transaction() as session:
        (entry,) = explain_grants(session, CLERK, "B1")
    assert (entry.amount, entry.payment) == (51_000, None)
    assert entry.barred is not None
    assert "以前的算法" in entry.barred
