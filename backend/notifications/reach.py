"""找得到谁 (reach): by which accounts, phones and places people can be told something now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from backend.kernel.crypto import Keyring, Place
from backend.notifications.events import Told

_PEOPLE: Final = text(
    """
    SELECT asked.id AS asked, p.id, p.area, p.lives_in, p.died_on <= :today AS died
    FROM unnest(CAST(:people AS bigint[])) AS asked (id)
    JOIN person AS p ON p.id = person_now(asked.id)
    """
)
# `own`: everybody who turned out to be one of them, worked out once a person. The dead act for
# nobody. Of what was closed, openid and phone are empty, but where staff replaced it just now.
_ACCOUNTS: Final = text(
    """
    WITH own AS MATERIALIZED (
        SELECT p.id AS asked, same.id FROM unnest(CAST(:people AS bigint[])) AS p (id)
        CROSS JOIN LATERAL unnest(same_people(ARRAY[p.id])) AS same (id)
    ), guarded AS MATERIALIZED (
        SELECT p.id AS asked, same.id FROM person AS p
        CROSS JOIN LATERAL unnest(same_people(ARRAY[person_now(p.guardian_id)])) AS same (id)
        WHERE p.id = ANY(:people) AND p.guardian_id <> 0
    ), found AS (
        SELECT own.asked, 'person' AS told, r.id, r.person_id, r.phone FROM own
            JOIN resident AS r ON r.person_id = own.id AND r.closed_at IS NULL
        UNION ALL
        SELECT guarded.asked, 'guardian', r.id, r.person_id, r.phone FROM guarded
            JOIN resident AS r ON r.person_id = guarded.id AND r.closed_at IS NULL
        UNION ALL
        SELECT own.asked, 'family', r.id, r.person_id, r.phone FROM own
            JOIN family_authority AS f ON f.person_id = own.id AND authority_holds(f)
            JOIN resident AS r ON r.id = f.resident_id AND r.closed_at IS NULL
        UNION ALL
        SELECT own.asked, 'delegate', r.id, r.person_id, r.phone FROM own
            JOIN delegation AS d ON d.person_id = own.id AND 'receive' = ANY (d.scope)
                AND delegation_holds(d)
            JOIN resident AS r ON r.id = d.resident_id AND r.closed_at IS NULL
        UNION ALL
        SELECT own.asked, 'former', r.id, r.person_id, r.phone FROM own
            JOIN resident AS r ON r.person_id = own.id AND r.closed_at IS NOT NULL
    )
    SELECT found.asked, found.told, found.id, person_now(found.person_id) AS person_id,
        found.phone, w.openid
    FROM found LEFT JOIN person AS p ON p.id = person_now(found.person_id)
    LEFT JOIN LATERAL (
        SELECT w.openid FROM wechat_user AS w
        WHERE w.resident_id = found.id AND (w.revoked_at IS NULL OR found.told = 'former')
        ORDER BY w.created_at DESC LIMIT 1
    ) AS w ON true
    WHERE found.told IN ('person', 'former') OR p.died_on IS NULL OR p.died_on > :today
    ORDER BY found.id
    """
)


@dataclass(frozen=True, slots=True)
class Account:
    """A user of the mini-program; `person_id`: who it is, where that is known. Values sealed with
    the shared key; empty: there is none.
    """

    told: Told
    resident_id: int
    person_id: int | None
    openid: bytes = field(repr=False)
    phone: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Reach:
    """How a person can be reached. `place`: where the person lives, 12 digits; None: not known.

    `accounts`: in no special order.
    """

    person_id: int
    place: int | None
    died: bool
    accounts: Sequence[Account]

    def account(self, audience: Sequence[Told]) -> Account | None:
        """The first account of the audience that is connected with WeChat."""
        return next((one for one in self._in_order(audience) if one.openid), None)

    def phone_account(self, audience: Sequence[Told]) -> Account | None:
        """The first account of the audience that has a phone, and belongs to somebody known."""
        return next((one for one in self._in_order(audience) if one.phone and one.person_id), None)

    def _in_order(self, audience: Sequence[Told]) -> Iterable[Account]:
        return (one for told in audience for one in self.accounts if one.told == told)


def openid_of(account: Account, keyring: Keyring) -> str:
    """In plain."""
    place = Place("wechat_user", "openid", account.resident_id)
    return keyring.shared().open(place, account.openid)


def phone_of(account: Account, keyring: Keyring) -> str:
    """In plain."""
    return keyring.shared().open(Place("resident", "phone", account.resident_id), account.phone)


def reach(session: Session, people: Iterable[int], today: date) -> Mapping[int, Reach]:
    """By the numbers asked for; those whom nobody knows any more are left out."""
    found = session.execute(_PEOPLE, {"people": sorted(set(people)), "today": today}).all()
    asked = {"people": sorted({row.id for row in found}), "today": today}
    accounts: dict[int, list[Account]] = {}
    for row in session.execute(_ACCOUNTS, asked):
        one = Account(row.told, row.id, row.person_id, row.openid or b"", row.phone)
        accounts.setdefault(row.asked, []).append(one)
    return {row.asked: _reach(row, accounts.get(row.id, ())) for row in found}


def _reach(row: Row[Any], accounts: Sequence[Account]) -> Reach:
    place = row.lives_in or row.area or None
    return Reach(row.id, place, row.died, accounts)
