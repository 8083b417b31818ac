"""What was known before is a record: not even the worker's role changes it."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from backend.citizens.history import HISTORIES
from backend.kernel.database import transaction
from tests.support.delivery import Office, bill, household, identity, person, vital

TABLES = tuple(table.name for table in HISTORIES.values())
SEALED = {"person_history": "data_key", "person_number_history": "number_index"}


@pytest.fixture
def corrected(office: Office) -> Office:
    """Every history but those of assignments and hospitals has rows."""
    office.load("people", [person(1)])
    office.load("people", [person(2, name="测1", former_id_number=person(1)["id_number"])])
    for total in ("1000.00", "2000.00"):
        office.load("bills", [bill("B1", 1, total=total)])
        office.load("households", [household("H0", 2023, total)])
    for to in ("", "2024-12-31"):
        office.load("identities", [identity(1, "2024-01-01", to)])
    for detail in ("", "外出"):
        office.load("vital", [vital(1, "moved_away", "2024-06-01", detail)])
    return office


def attempt(statement: str, *, resealing: bool) -> None:
    with transaction() as session:
        if resealing:
            session.execute(text("SET LOCAL shukun.resealing = 'on'"))
        session.execute(text(statement))


@pytest.mark.parametrize("resealing", [False, True])
@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize(
    "statement",
    ["UPDATE {} SET revision = revision + 1", "DELETE FROM {}", "TRUNCATE {}"],
)
def test_the_worker_changes_no_history(
    corrected: Office, table: str, statement: str, resealing: bool
) -> None:
    rows = corrected.ask(f"SELECT count(*) FROM {table}")[0][0]
    assert rows or table in ("assignment_history", "hospital_history")
    with pytest.raises(DBAPIError, match=r"are a record|permission denied"):
        attempt(statement.format(table), resealing=resealing)


@pytest.mark.parametrize(("table", "column"), SEALED.items())
def test_other_keys_are_written_into_history_where_the_session_says_so(
    corrected: Office, table: str, column: str
) -> None:
    change = f"UPDATE {table} SET {column} = {column} || '\\x00'"
    with pytest.raises(DBAPIError, match="are a record"):
        attempt(change, resealing=False)
    attempt(change, resealing=True)
    changed = f"SELECT bool_and(right({column}::text, 2) = '00') FROM {table}"
    assert corrected.ask(changed) == [(True,)]
