"""What the database forbids, whatever a program asks of it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from backend.payments import states
from tests.payments.conftest import Office
from tests.support.ledger import Ledger


@pytest.fixture
def serial(ledger: Ledger, office: Office) -> str:
    """A batch of one item, made and not yet reviewed."""
    ledger.person("甲某")
    ledger.entry(ledger.bill("甲某", "B1"), 10_000, ledger.run())
    return office.make().serial or ""


def legal(engine: Engine, table: str, before: Mapping[str, object], after: str) -> bool:
    """Whether the trigger lets a row of the state `before` become `after`; changes nothing."""
    with engine.connect() as connection:
        _without_triggers(connection, table, before)
        try:
            connection.execute(text(f"UPDATE {table} SET state = '{after}'"))
        except IntegrityError as error:
            return "illegal move" not in str(error)
        finally:
            connection.rollback()
    return True


def _without_triggers(connection: Connection, table: str, values: Mapping[str, object]) -> None:
    connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER {table}_moves"))
    for check in ("sign_of_the_state", "held_for_a_reason", "approved_by_two"):
        connection.execute(
            text(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS ck_{table}_{check}")
        )
    connection.execute(
        text(f"UPDATE {table} SET " + ", ".join(f"{k} = '{v}'" for k, v in values.items()))
    )
    connection.execute(text(f"ALTER TABLE {table} ENABLE TRIGGER {table}_moves"))


TABLES = {"payment_item": states.ITEM, "payment_order": states.ORDER, "payment_batch": states.BATCH}


@pytest.mark.usefixtures("serial")
@pytest.mark.parametrize("table", TABLES)
def test_the_database_allows_the_moves_of_the_table_and_no_others(
    table: str, database: Engine
) -> None:
    moves = TABLES[table]
    for before, afters in moves.items():
        for after in moves:
            assert legal(database, table, {"state": before}, after) == (after in afters), (
                f"{before} → {after}"
            )


def test_every_state_has_a_name() -> None:
    assert set(states.ITEM) == set(states.ITEM_NAMES)
    assert set(states.ORDER) == set(states.ORDER_NAMES)
    assert set(states.BATCH) == set(states.BATCH_NAMES)
    assert set(states.OPEN) == {one for one, moves in states.ITEM.items() if moves} - {"settled"}


FORBIDDEN = {
    "change what the bank is told": "UPDATE payment_item SET amount = 5",
    "change an order": "UPDATE payment_order SET amount = 5",
    "pay another": "UPDATE payment_order SET payee_id = 0",
    "change a batch": "UPDATE payment_batch SET total = 5",
    "lose an item": "DELETE FROM payment_item",
    "lose an order": "DELETE FROM payment_order",
    "lose an entry": "DELETE FROM payment_entry",
    "move an entry": "UPDATE payment_entry SET item_id = item_id",
    "lose everything": "TRUNCATE payment_order",
    "change an account": "UPDATE payee SET account = ''",
    "lose an account": "DELETE FROM payee",
    "pay an entry twice": "INSERT INTO payment_entry SELECT * FROM payment_entry",
    "pay an item twice": (
        "WITH b AS (INSERT INTO payment_batch (area, number, state, orders, total, made_by)"
        " VALUES (1, 1, 'made', 1, 1, 'x') RETURNING id)"
        " INSERT INTO payment_order SELECT b.id, item_id, payee_id, amount, state"
        " FROM payment_order, b"
    ),
    "open a grant twice": (
        "INSERT INTO payment_item (bill_id, layer, person_id, area, year, amount, state)"
        " SELECT bill_id, layer, person_id, area, year, amount, 'due' FROM payment_item"
    ),
    "a second current account": (
        "INSERT INTO payee SELECT 1, person_id, kind, relationship, guardian_id, bank, holder,"
        " account, account_index, loaded_by FROM payee"
    ),
    "approve one's own batch": (
        "UPDATE payment_batch SET state = 'reviewed', reviewed_by = made_by"
    ),
    "review without a name": "UPDATE payment_batch SET state = 'reviewed'",
}


@pytest.mark.usefixtures("serial")
def test_the_database_refuses_even_its_owner(database: Engine) -> None:
    def refuses(statement: str) -> bool:
        with database.connect() as connection:
            try:
                connection.execute(text(statement))
            except IntegrityError:
                return True
        return False

    assert [what for what, statement in FORBIDDEN.items() if not refuses(statement)] == []


@pytest.mark.usefixtures("serial")
def test_a_version_of_an_account_is_superseded_once(worker_database: Engine) -> None:
    with worker_database.begin() as connection:
        connection.execute(text("UPDATE payee SET superseded_at = now()"))
    for again in ("now() + interval '1 day'", "NULL"):
        with pytest.raises(IntegrityError), worker_database.begin() as connection:
            connection.execute(text(f"UPDATE payee SET superseded_at = {again}"))


def test_the_website_sees_nothing_of_payments(serial: str, app_database: Engine) -> None:
    assert serial
    for table in (*TABLES, "payee", "payment_entry", "payment_return"):
        with pytest.raises(DBAPIError, match="permission denied"), app_database.connect() as c:
            c.execute(text(f"SELECT * FROM {table}"))
