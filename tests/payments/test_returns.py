from __future__ import annotations

from pathlib import Path

import pytest

from backend.kernel.database import transaction
from backend.payments import decisions
from backend.payments.returns import take_return
from tests.payments.conftest import Office
from tests.support.ledger import Ledger


@pytest.fixture
def serial(ledger: Ledger, office: Office) -> str:
    """A batch of items 1 and 2 with the bank."""
    run = ledger.run()
    for name, fen in (("甲某", 10_000), ("乙某", 2_000)):
        ledger.person(name)
        ledger.entry(ledger.bill(name, f"B{name}"), fen, run)
    return office.send()


def test_paid_and_returned_are_taken_as_the_bank_says(
    ledger: Ledger, office: Office, serial: str
) -> None:
    taken = office.answer(f"{serial},1,成功,", f"{serial},2,失败,户名不符：李某某")
    assert (taken.paid, taken.returned, taken.rejects) == (1, 1, ())
    assert ledger.states() == [("paid", 10_000), ("returned", 2_000)]
    assert ledger.work() == [("payment_returned", "payment_item")]


def test_the_banks_words_are_not_kept_for_they_may_name_people(
    ledger: Ledger, office: Office, serial: str
) -> None:
    office.answer(f"{serial},2,失败,户名应为李某某")
    assert ledger.rows("SELECT reason FROM payment_order WHERE state = 'returned'") == [
        ("户名不符",)
    ]
    [(reason,)] = ledger.rows("SELECT reason FROM work_item")
    assert "李某某" not in reason


def test_the_same_file_twice_changes_nothing(
    ledger: Ledger, office: Office, serial: str, tmp_path: Path
) -> None:
    first = office.answer(f"{serial},1,成功,", f"{serial},2,失败,")
    before = ledger.rows("SELECT * FROM payment_item ORDER BY id")
    with transaction() as session:
        again = take_return(session, tmp_path / "return1.csv", "戊回盘")
    assert again.known
    assert again.number == first.number
    assert ledger.rows("SELECT * FROM payment_item ORDER BY id") == before


def test_the_same_news_in_another_file_is_no_news(office: Office, serial: str) -> None:
    office.answer(f"{serial},1,成功,")
    taken = office.answer(f"{serial},1,paid,", f"{serial},2,成功,", f"{serial},2,成功,")
    assert (taken.paid, taken.unchanged, taken.rejects) == (1, 2, ())


def test_an_old_file_changes_nothing_after_the_item_was_paid_in_a_later_batch(
    ledger: Ledger, office: Office, serial: str
) -> None:
    office.answer(f"{serial},1,成功,", f"{serial},2,失败,")
    ledger.payee("乙某", "6228480402564890018")
    second = office.pay()
    taken = office.answer(f"{serial},2,退回,", f"{serial},1,成功,")
    assert (taken.paid, taken.returned, taken.unchanged) == (0, 0, 2)
    assert ledger.states() == [("paid", 10_000), ("paid", 2_000)]
    assert office.answer(f"{second},2,退回,").rejects[0].column == "result"


def test_the_same_file_again_tells_its_rejects_again(
    office: Office, serial: str, tmp_path: Path
) -> None:
    first = office.answer(f"{serial},1,成功,", f"{serial},7,成功,", f"{serial},1,失败,")
    with transaction() as session:
        again = take_return(session, tmp_path / "return1.csv", "戊回盘")
    assert (again.paid, again.known) == (1, True)
    assert again.rejects == first.rejects != ()


def test_a_row_refused_then_that_would_fit_now_is_not_passed_over_in_silence(
    ledger: Ledger, office: Office, tmp_path: Path
) -> None:
    ledger.person("甲某")
    ledger.entry(ledger.bill("甲某", "B1"), 10_000, ledger.run())
    serial = office.make().serial
    assert office.answer(f"{serial},1,成功,").rejects
    office.approve(serial)
    office.write(serial)
    with transaction() as session:
        again = take_return(session, tmp_path / "return1.csv", "戊回盘")
    assert ["另存" in one.reason for one in again.rejects] == [True]
    assert ledger.states() == [("ordered", 10_000)]


FAULTS = (
    ("{serial},3,成功,", "item"),
    ("{serial},x,成功,", "item"),
    ("{serial},999999999999999999999,成功,", "item"),
    ("320281-000099,1,成功,", "item"),
    (",1,成功,", "item"),
    ("{serial},1,大概,", "result"),
    ("{serial},2,失败,", "result"),
)


def test_a_row_that_does_not_fit_is_refused(ledger: Ledger, office: Office, serial: str) -> None:
    rows = [row.format(serial=serial) for row, _ in FAULTS]
    taken = office.answer(f"{serial},2,成功,", *rows)
    assert [(one.line, one.column) for one in taken.rejects] == [
        (line, column) for line, (_, column) in enumerate(FAULTS, 3)
    ]
    assert ledger.states() == [("ordered", 10_000), ("paid", 2_000)]


def test_a_row_with_another_amount_is_refused(
    ledger: Ledger, office: Office, serial: str, tmp_path: Path
) -> None:
    path = tmp_path / "amounts.csv"
    path.write_text(f"批次号,笔号,结果,金额\n{serial},1,成功,99.00\n{serial},2,成功,20.00\n")
    with transaction() as session:
        taken = take_return(session, path, "戊回盘")
    assert [one.column for one in taken.rejects] == ["amount"]
    assert ledger.states() == [("ordered", 10_000), ("paid", 2_000)]


def test_a_batch_that_was_not_written_has_no_returns(ledger: Ledger, office: Office) -> None:
    ledger.person("丙某")
    ledger.entry(ledger.bill("丙某", "B3"), 700, ledger.run())
    serial = office.make().serial
    assert office.answer(f"{serial},1,成功,").rejects


def test_a_returned_payment_is_paid_again_after_the_account_is_corrected(
    ledger: Ledger, office: Office, serial: str
) -> None:
    office.answer(f"{serial},1,成功,", f"{serial},2,失败,")
    assert office.make().serial is None
    ledger.payee("乙某", "6228480402564890018")
    office.pay()
    assert ledger.states() == [("paid", 10_000), ("paid", 2_000)]
    assert ledger.work() == []


def test_a_returned_payment_is_paid_again_when_a_person_says_so(
    ledger: Ledger, office: Office, serial: str
) -> None:
    office.answer(f"{serial},1,成功,", f"{serial},2,失败,")
    with transaction() as session:
        decisions.retry(session, 2, "甲经办")
    assert ledger.work() == []
    office.pay()
    assert ledger.states()[1] == ("paid", 2_000)


def test_a_top_up_joins_a_payment_that_was_returned(
    ledger: Ledger, office: Office, serial: str
) -> None:
    office.answer(f"{serial},1,成功,", f"{serial},2,失败,")
    [(bill,)] = ledger.rows("SELECT id FROM bill WHERE bill_no = 'B乙某'")
    ledger.entry(bill, 500, ledger.run())
    ledger.payee("乙某", "6228480402564890018")
    office.pay()
    assert ledger.states() == [("paid", 10_000), ("paid", 2_500)]


def test_a_payment_returned_of_a_person_who_died_is_held(
    ledger: Ledger, office: Office, serial: str
) -> None:
    office.answer(f"{serial},2,失败,")
    ledger.died("乙某")
    office.make()
    assert ledger.states()[1] == ("held", 2_000)
    assert ledger.work() == [("payment_held", "payment_item")]
