"""查看 (listing): batches, items and orders as staff see them; accounts and holders masked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Row, bindparam, text
from sqlalchemy.orm import Session

from backend.kernel import audit
from backend.kernel.audit import Operator, Subject
from backend.kernel.crypto import Keyring, Place
from backend.payments.accounts import masked
from backend.payments.batches import find_batch, serial_of
from backend.payments.collecting import Range
from backend.payments.states import OPEN

_BATCHES: Final = text(
    """
    SELECT * FROM payment_batch
    WHERE area::bigint * 1000000 BETWEEN :low AND :high ORDER BY area, number DESC LIMIT :most
    """
)
_ITEMS: Final = text(
    """
    SELECT id, amount, state, hold FROM payment_item
    WHERE area BETWEEN :low AND :high AND state = ANY(:states)
    ORDER BY state = 'ordered', id LIMIT :most
    """
).bindparams(bindparam("states"))
_ORDERS: Final = text(
    """
    SELECT o.item_id, o.amount, o.state, o.reason, y.id, y.person_id, y.guardian_id, y.holder,
        y.account, p.data_key, a.holder AS hospital, a.account AS its_account
    FROM payment_order o LEFT JOIN payee y ON y.id = o.payee_id
        LEFT JOIN person p ON p.id = y.person_id
        LEFT JOIN hospital_account a ON a.id = o.hospital_account_id
    WHERE o.batch_id = :batch ORDER BY o.item_id LIMIT :most
    """
)


class ShownOrder(NamedTuple):
    """One payment of a batch. `account`: its last four digits; `holder`: the first character of a
    person's, the name of a hospital."""

    item: int
    amount: int
    state: str
    reason: str
    holder: str
    account: str


def batches(session: Session, area: Range, most: int) -> Sequence[Row[Any]]:
    """The batches of an area, newest first."""
    return session.execute(_BATCHES, {**area._asdict(), "most": most}).all()


def items(
    session: Session, area: Range, most: int, states: Sequence[str] = OPEN
) -> Sequence[Row[Any]]:
    """Items of an area: `id`, `amount`, `state`, `hold`; those with the bank last."""
    values = {**area._asdict(), "states": list(states), "most": most}
    return session.execute(_ITEMS, values).all()


def orders(session: Session, keyring: Keyring, serial: str, most: int, by: str) -> list[ShownOrder]:
    """The payments of a batch; that `by` looked is audited, and told to those whose accounts they
    are. Raises `PaymentUnknown`.
    """
    batch = find_batch(session, serial)
    rows = session.execute(_ORDERS, {"batch": batch.id, "most": most}).all()
    audit.read_people(session, Operator(by), concerned(rows), "pay", ("account",))
    shown = [_shown(keyring, row) for row in rows]
    subject, detail = Subject("payment_batch", serial_of(batch)), {"orders": len(shown)}
    audit.record(session, actor=by, action="payment.shown", subject=subject, detail=detail)
    return shown


def concerned(rows: Iterable[Row[Any]]) -> list[int]:
    """Whose money and whose accounts payees are: the persons, and guardians who hold the account.

    Of each row `person_id` and `guardian_id` are looked at.
    """
    people = {one for row in rows for one in (row.person_id, row.guardian_id)}
    return sorted(people - {None})


def _shown(keyring: Keyring, row: Row[Any]) -> ShownOrder:
    if row.hospital is not None:
        account = masked(row.its_account)
        return ShownOrder(row.item_id, row.amount, row.state, row.reason, row.hospital, account)
    cipher = keyring.person(row.person_id, bytes(row.data_key))
    holder = cipher.open(Place("payee", "holder", row.id), bytes(row.holder))
    account = cipher.open(Place("payee", "account", row.id), bytes(row.account))
    return ShownOrder(
        row.item_id, row.amount, row.state, row.reason, f"{holder[:1]}*", masked(account)
    )
