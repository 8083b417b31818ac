"""A bill whose day of discharge is corrected into another year: granted once, whatever the order
in which the years are matched."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, text

from backend.kernel.database import transaction
from backend.matching.explaining import UnknownBill, explain_grants
from tests.matching.test_runs import LOW, run
from tests.support.audited import CLERK
from tests.support.register import Register

PAID = {"basic": "400.00"}
SETTLED = {**PAID, "medical_assistance": "510.00"}


@pytest.fixture
def register(database: Engine) -> Register:
    """One person with a bill of 2024, granted 510.00."""
    register = Register(database)
    register.person("甲")
    register.identity("甲", LOW, "2022-01-01")
    register.bill("甲", "B1", "2024-01-02", "1000.00", paid=PAID)
    run()
    return register


def stands(engine: Engine) -> list[tuple[int, int]]:
    """Year and amount of what stands granted."""
    query = text(
        "SELECT DISTINCT ON (bill_id, layer) year, amount_after FROM grant_entry"
        " ORDER BY bill_id, layer, seq DESC"
    )
    with engine.connect() as connection:
        return [(row.year, row.amount_after) for row in connection.execute(query)]


def explained() -> list[int]:
    """What stood granted after each entry, every one of them checked against the data of then."""
    with transaction() as session:
        return [one.amount_after for one in explain_grants(session, CLERK, "B1")]


@pytest.mark.parametrize("years", [(2023, 2024, 2023), (2024, 2023, 2024)])
def test_the_grant_stands_in_the_new_year(
    register: Register, database: Engine, years: tuple[int, ...]
) -> None:
    register.bill("甲", "B1", "2023-12-31", "1000.00", paid=PAID)
    for year in years:
        run(year=year)
    assert stands(database) == [(2023, 51_000)]
    assert explained()[-1] == 51_000


def test_what_the_hospital_settled_is_not_asked_back(register: Register, database: Engine) -> None:
    register.bill("甲", "B1", "2024-01-02", "1000.00", paid=SETTLED)
    run()
    register.bill("甲", "B1", "2023-12-31", "1000.00", paid=SETTLED)
    for year in (2023, 2024, 2023):
        run(year=year)
    assert stands(database) == [(2023, 51_000)]
    assert explained() == [51_000, 51_000, 51_000]


def test_what_is_paid_otherwise_goes_over_to_the_new_year(
    register: Register, database: Engine
) -> None:
    register.bill(
        "甲", "B1", "2023-12-31", "1000.00", paid=SETTLED | {"medical_assistance": "1.00"}
    )
    for year in (2023, 2024, 2023):
        run(year=year)
    assert stands(database) == [(2023, 51_000)]
    assert explained() == [51_000, 51_000]


def test_a_bill_taken_back_is_still_explained(register: Register) -> None:
    register.forget_bill("B1")
    run()
    assert explained() == [51_000, 0]
    with pytest.raises(UnknownBill), transaction() as session:
        explain_grants(session, CLERK, "B2")
