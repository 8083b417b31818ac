from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from backend.kernel.audit import Subject
from backend.kernel.database import transaction
from backend.worklist.escalation import Escalation, escalate_item, escalate_overdue
from backend.worklist.items import Closing, ItemClosed, NewItem, close_item, open_items
from backend.worklist.kinds import KINDS, ROLES, owner_of
from backend.worklist.lists import Within, list_counts, open_in
from backend.worklist.tables import LEVELS

EVERYWHERE = Within(110000000000, 999999999999)
VILLAGE, TOWNSHIP, COUNTY, CITY = LEVELS
PLACES = (320281101001, 320281101000, 320281000000, 330382004201, 429004001001, 110101001001)


def item(number: int, kind: str = "home_visit", area: int = PLACES[0]) -> NewItem:
    subject = Subject("warning", str(number))
    return NewItem(kind, subject, None, area, "请入户核查。", due_on=date(2026, 3, 6))


def lists() -> list[tuple[str, int]]:
    with transaction() as session:
        rows = session.execute(text("SELECT role, list_area FROM work_item ORDER BY id"))
        return [(row.role, row.list_area) for row in rows]


@pytest.mark.parametrize(
    ("kind", "area", "owner"),
    [
        ("home_visit", 320281101001, (VILLAGE, 320281101001)),
        ("home_visit", 320281101000, (TOWNSHIP, 320281101000)),
        ("home_visit", 320281000000, (COUNTY, 320281000000)),
        ("enrol_first", 320281101001, (TOWNSHIP, 320281101000)),
        ("enrol_first", 320281000000, (COUNTY, 320281000000)),
        ("refund_due", 320281101001, (COUNTY, 320281000000)),
        ("refund_due", 320200000000, (CITY, 320200000000)),
    ],
)
def test_an_item_belongs_to_the_role_of_its_kind_or_to_the_level_that_knows_the_place(
    kind: str, area: int, owner: tuple[str, int]
) -> None:
    assert owner_of(kind, area) == owner


def test_what_is_overdue_climbs_level_by_level_and_stays_in_the_last(database: Engine) -> None:
    with transaction() as session:
        open_items(session, [item(1)], "test")
    found = []
    for day in (6, 9, 17, 31, 90):
        with transaction() as session:
            moved = escalate_overdue(session, date.fromordinal(date(2026, 3, 1).toordinal() + day))
        found.append((moved, *lists()))
    assert found == [
        (1, (TOWNSHIP, 320281101000)),
        (0, (TOWNSHIP, 320281101000)),
        (1, (COUNTY, 320281000000)),
        (1, (CITY, 320200000000)),
        (0, (CITY, 320200000000)),
    ]
    with transaction() as session:
        told = session.execute(text("SELECT detail->>'from', detail->>'to' FROM audit_event"))
        assert [tuple(row) for row in told] == [
            (VILLAGE, TOWNSHIP),
            (TOWNSHIP, COUNTY),
            (COUNTY, CITY),
        ]


def test_what_is_done_does_not_climb(database: Engine) -> None:
    with transaction() as session:
        open_items(session, [item(1)], "test")
    with transaction() as session:
        close_item(session, 1, Closing("confirmed", "王协管"))
    with transaction() as session:
        assert escalate_overdue(session, date(2027, 1, 1)) == 0
        with pytest.raises(ItemClosed):
            escalate_item(session, 1, Escalation("王协管", date(2027, 1, 1), "no_answer"))


def test_an_escalated_item_can_still_be_closed(database: Engine) -> None:
    with transaction() as session:
        open_items(session, [item(1)], "test")
        escalate_item(session, 1, Escalation("王协管", date(2026, 3, 3), "no_answer"))
    assert lists() == [(TOWNSHIP, 320281101000)]
    with transaction() as session:
        close_item(session, 1, Closing("not_confirmed", "李初审"))


def test_every_open_item_is_in_exactly_one_list_and_every_list_has_a_role(database: Engine) -> None:
    """E13: whatever kind, place and age."""
    items = [
        item(number, kind, area)
        for number, (kind, area) in enumerate((k, a) for k in KINDS for a in PLACES)
    ]
    with transaction() as session:
        open_items(session, items, "test")
    for day in (date(2026, 3, 1), date(2026, 3, 9), date(2026, 6, 1), date(2026, 9, 1)):
        with transaction() as session:
            escalate_overdue(session, day)
            counts = list_counts(session, EVERYWHERE, day)
            listed = [
                found.id
                for role in ROLES
                for area in {count.area for count in counts}
                for found in open_in(session, Within(area, area + LEVELS[role] - 1, role), 999)
                if found.area == area
            ]
            open_ones = session.execute(text("SELECT id FROM work_item WHERE state <> 'done'"))
            assert sorted(listed) == sorted(open_ones.scalars())
            assert sum(count.waiting for count in counts) == len(items)


def test_the_database_refuses_an_item_that_lies_in_another_list(database: Engine) -> None:
    """The control of the test above."""
    with transaction() as session:
        open_items(session, [item(1)], "test")
    for change in (
        "SET list_area = 320281101000",
        "SET role = 'county_officer'",
        "SET role = 'nobody'",
        "SET area = 0, list_area = 0",
    ):
        with pytest.raises(IntegrityError), transaction() as session:
            session.execute(text(f"UPDATE work_item {change}"))


def test_counts_say_what_is_overdue(database: Engine) -> None:
    with transaction() as session:
        open_items(session, [item(1), item(2), item(3, "refund_due")], "test")
    with transaction() as session:
        counts = list_counts(session, EVERYWHERE, date(2026, 3, 7))
        found = {(c.role, c.area, c.kind): (c.waiting, c.overdue) for c in counts}
    assert found == {
        (COUNTY, 320281000000, "refund_due"): (1, 1),
        (VILLAGE, 320281101001, "home_visit"): (2, 2),
    }
