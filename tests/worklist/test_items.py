from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from backend.kernel import clock
from backend.kernel.audit import Subject
from backend.kernel.crypto import Keyring
from backend.kernel.database import transaction
from backend.worklist.items import (
    Closing,
    ItemClosed,
    NewItem,
    OutcomeUnknown,
    UnknownItem,
    close_item,
    note_of,
    open_items,
    supersede_items,
)
from tests.support.audited import CLERK

VILLAGE = 320281101001


def visit(number: int = 1, **changes: object) -> NewItem:
    given = {
        "kind": "home_visit",
        "subject": Subject("warning", str(number)),
        "person_id": None,
        "area": VILLAGE,
        "reason": "一户今年的医疗支出超过收入的40%，请入户核查。",
    }
    return NewItem(**{**given, **changes})  # type: ignore[arg-type]


def opened(*items: NewItem) -> list[int]:
    with transaction() as session:
        open_items(session, items, "test")
        return list(session.execute(text("SELECT id FROM work_item ORDER BY id")).scalars())


def test_an_item_is_opened_once_however_often_it_is_asked_for(database: Engine) -> None:
    with transaction() as session:
        assert open_items(session, [visit(1), visit(2), visit(1)], "test") == 2
    with transaction() as session:
        assert open_items(session, [visit(2), visit(3)], "test") == 1


def test_a_closed_item_is_not_opened_again_for_the_same_period(database: Engine) -> None:
    (item,) = opened(visit(1))
    with transaction() as session:
        close_item(session, item, Closing("not_confirmed", "王协管"))
    with transaction() as session:
        assert open_items(session, [visit(1)], "test") == 0
        assert open_items(session, [visit(1, period="2026-04")], "test") == 1


def test_an_item_without_a_day_is_due_after_the_working_days_of_its_kind(
    database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "today", lambda: date(2026, 3, 2))
    opened(visit(1), visit(2, due_on=date(2026, 3, 6)))
    with transaction() as session:
        open_items(session, [visit(3)], "test", date(2026, 3, 3))
        rows = session.execute(text("SELECT due_on FROM work_item ORDER BY id")).scalars().all()
    assert rows == [date(2026, 3, 9), date(2026, 3, 6), date(2026, 3, 10)]


def test_it_is_closed_once_with_its_outcome_and_an_event_in_the_audit(database: Engine) -> None:
    (item,) = opened(visit(1))
    with transaction() as session:
        close_item(session, item, Closing("confirmed", "王协管"))
    with pytest.raises(ItemClosed), transaction() as session:
        close_item(session, item, Closing("not_confirmed", "李主任"))
    with transaction() as session:
        row = session.execute(text("SELECT state, outcome, closed_by FROM work_item")).one()
        event = session.execute(text("SELECT actor, action, detail FROM audit_event")).one()
    assert tuple(row) == ("done", "confirmed", "王协管")
    assert event == (
        "王协管",
        "work_item.close",
        {"kind": "home_visit", "from": "open", "outcome": "confirmed"},
    )


def test_an_outcome_is_one_of_the_kind(database: Engine) -> None:
    (item,) = opened(visit(1))
    with pytest.raises(OutcomeUnknown) as refused, transaction() as session:
        close_item(session, item, Closing("done", "王协管"))
    assert "confirmed（属实）" in refused.value.faults[0].detail


def test_an_item_that_does_not_exist_is_not_closed(database: Engine) -> None:
    with pytest.raises(UnknownItem), transaction() as session:
        close_item(session, 7, Closing("done", "王协管"))


def test_what_is_done_cannot_be_changed_nor_anything_deleted(database: Engine) -> None:
    (item,) = opened(visit(1))
    with transaction() as session:
        close_item(session, item, Closing("confirmed", "王协管"))
    for change in ("UPDATE work_item SET state = 'open', outcome = NULL", "DELETE FROM work_item"):
        with pytest.raises(DBAPIError, match="are a record"), transaction() as session:
            session.execute(text(change))


def test_items_whose_cause_is_gone_are_closed_together(database: Engine) -> None:
    opened(visit(1), visit(2), visit(3))
    gone = [Subject("warning", "1"), Subject("warning", "3"), Subject("warning", "9")]
    with transaction() as session:
        assert supersede_items(session, "home_visit", gone, "matching") == 2
        assert supersede_items(session, "home_visit", gone, "matching") == 0


def test_ten_thousand_items_are_opened_at_once(database: Engine) -> None:
    with transaction() as session:
        assert open_items(session, [visit(n) for n in range(10_000)], "test") == 10_000


def test_a_note_is_sealed_with_the_key_of_the_person(database: Engine, tmp_path: Path) -> None:
    keyring = Keyring.open_or_create(tmp_path / "keys.json")
    cipher = keyring.person(5, keyring.new_person_key(5))
    (item,) = opened(visit(1, person_id=5))
    with transaction() as session:
        close_item(session, item, Closing("confirmed", "王协管", "家里两人住院", cipher))
    with transaction() as session:
        kept = session.execute(text("SELECT note FROM work_item")).scalar_one()
        assert "住院".encode() not in bytes(kept)
        assert note_of(session, CLERK, item, cipher) == "家里两人住院"


def test_a_note_without_a_key_is_refused(database: Engine) -> None:
    (item,) = opened(visit(1))
    with pytest.raises(ValueError, match="sealed"), transaction() as session:
        close_item(session, item, Closing("confirmed", "王协管", "家里两人住院"))


def test_an_item_whose_cause_comes_back_is_opened_anew(database: Engine) -> None:
    (item,) = opened(visit(1))
    with transaction() as session:
        supersede_items(session, "home_visit", [Subject("warning", "1")], "matching")
        assert open_items(session, [visit(1, reason="又有预警。"), visit(1)], "test") == 1
    with transaction() as session:
        rows = session.execute(text("SELECT id, state, outcome, reason FROM work_item")).all()
    assert [tuple(row) for row in rows] == [(item, "open", None, "又有预警。")]


def test_no_person_says_that_the_cause_is_gone(database: Engine) -> None:
    (item,) = opened(visit(1))
    with pytest.raises(OutcomeUnknown), transaction() as session:
        close_item(session, item, Closing("superseded", "王协管"))
