"""核实账户 (payee checks): accounts that are taken, yet a person is to look at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from backend.kernel.audit import Subject
from backend.kernel.crypto import Keyring
from backend.worklist.items import NewItem, open_items, supersede_items

KIND: Final = "payee_check"
MOST_HOUSEHOLDS: Final = 5
"""An account of more households than these is looked at."""

_STRANGERS: Final = text(
    """
    SELECT y.id, y.person_id, p.area FROM payee y
        JOIN person p ON p.id = y.person_id JOIN person g ON g.id = y.guardian_id
    WHERE y.id = ANY(:payees)
        AND (p.guardian_id <> 0 OR p.household_id <> 0 AND g.household_id <> 0)
        AND p.guardian_id <> g.id
        AND (p.household_id = 0 OR p.household_id <> g.household_id)
    ORDER BY y.id
    """
)
_OF_MANY: Final = text(
    """
    WITH given AS (
        SELECT * FROM unnest(CAST(:indexes AS bytea[]), CAST(:numbers AS int[]))
            AS one (index, number)
    )
    SELECT min(p.id) AS person_id, (array_agg(p.area ORDER BY p.id))[1] AS area,
        count(DISTINCT CASE WHEN p.household_id = 0 THEN -p.id ELSE p.household_id END) AS homes
    FROM given JOIN payee y ON y.account_index = given.index AND y.superseded_at IS NULL
        JOIN person p ON p.id = y.person_id
    GROUP BY given.number
    HAVING count(DISTINCT CASE WHEN p.household_id = 0 THEN -p.id ELSE p.household_id END) > :most
    ORDER BY 1
    """
)
_SHARED: Final = text(
    """
    SELECT count(*) FROM (
        SELECT account_index FROM payee
        WHERE account_index = ANY(:indexes) AND superseded_at IS NULL
        GROUP BY account_index HAVING count(DISTINCT coalesce(guardian_id, person_id)) > 1
    ) s
    """
)


def shared(session: Session, keyring: Keyring, accounts: Sequence[str]) -> int:
    """How many of the accounts more than one names, of people who are no guardian of the others."""
    indexes = [index for one in accounts for index in keyring.indexes("account", one)]
    found: int = session.execute(_SHARED, {"indexes": indexes}).scalar_one()
    return found


def ask_to_check(
    session: Session, keyring: Keyring, written: Sequence[tuple[int, str]], by: str
) -> int:
    """Put on the work list what of the payees just written (id, account) a person is to look at:
    guardians who are none by the register, accounts of many households. Returns how many are new.
    """
    strangers = session.execute(_STRANGERS, {"payees": [id_ for id_, _ in written]})
    items = [_stranger(row) for row in strangers]
    pairs = [
        (index, at)
        for at, account in enumerate(sorted({account for _, account in written}))
        for index in keyring.indexes("account", account)
    ]
    given = {"indexes": [index for index, _ in pairs], "numbers": [at for _, at in pairs]}
    many = session.execute(_OF_MANY, {**given, "most": MOST_HOUSEHOLDS})
    items += [_of_many(row) for row in many]
    return open_items(session, items, by)


def ask_no_more(session: Session, superseded: Sequence[int], by: str) -> None:
    """Take off the work list what asked about payees that are no longer current."""
    supersede_items(session, KIND, [Subject("payee", str(one)) for one in superseded], by)


def _stranger(row: Row[Any]) -> NewItem:
    reason = (
        "账户是监护人的，但登记里两人不在同一户，也没有监护关系：请核实监护关系和账户；"
        "不对的，重新登记账户。"
    )
    return NewItem(KIND, Subject("payee", str(row.id)), row.person_id, row.area, reason)


def _of_many(row: Row[Any]) -> NewItem:
    """Asked again at ten, a hundred, … households. The subject outlives a change of keys."""
    reason = f"同一账户登记为 {row.homes} 户人的收款账户：请核实账户归谁、为何代收。"
    subject = Subject("person", str(row.person_id))
    period = str(10 ** (len(str(row.homes)) - 1))
    return NewItem(KIND, subject, row.person_id, row.area, reason, period=period)
