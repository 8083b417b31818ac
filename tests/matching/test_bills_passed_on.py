"""A bill that turns out to be another person's: one gives back what the other is granted, whichever
of their two townships is computed first."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import Engine, text

from backend.kernel.database import transaction
from backend.matching import runs
from backend.matching.ledger import EntryKind, Reason
from backend.matching.runs import StartRun, compute_part, finish_run, start_run
from tests.support.register import Register

NORTH, SOUTH = 320281_101_001, 320281_102_001


@pytest.fixture(autouse=True)
def every_township_a_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "SPARSE", 1)


def match(order: int) -> None:
    """A run, a township a part; `order` −1: the last part first."""
    with transaction() as session:
        command = StartRun("320281", 2024, date(2024, 12, 31), "测试", largest=1)
        begun = start_run(session, command)
    assert len(begun.parts) == 2
    for number in begun.parts[::order]:
        with transaction() as session:
            compute_part(session, begun.run_id, number)
    with transaction() as session:
        assert finish_run(session, begun.run_id)


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("others_news", [False, True])
def test_the_order_of_the_townships_does_not_matter(
    database: Engine, order: int, others_news: bool
) -> None:
    register = Register(database)
    for name, area in (("甲", NORTH), ("乙", SOUTH)):
        register.person(name, area)
        register.identity(name, "subsistence_allowance", "2023-01-01")
    register.bill("甲", "B1", "2024-03-09", "1000.00", paid={"basic": "400.00"})
    match(order)
    if others_news:
        register.identity("乙", "extreme_poverty", "2025-01-01")
    register.bill("乙", "B1", "2024-03-09", "1000.00", paid={"basic": "400.00"})
    match(order)
    query = text("SELECT person_id, kind, amount, reason FROM grant_entry ORDER BY seq")
    with database.connect() as connection:
        entries = [tuple(row) for row in connection.execute(query)]
    first, second = register.ids["甲"], register.ids["乙"]
    assert entries[:2] == [
        (first, EntryKind.GRANT, 51_000, Reason.FIRST),
        (first, EntryKind.REFUND_DUE, -51_000, Reason.BILL),
    ]
    ((person, kind, amount, reason),) = entries[2:]
    assert (person, kind, amount) == (second, EntryKind.TOP_UP, 51_000)
    assert reason & Reason.BILL
