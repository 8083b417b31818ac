"""订阅的账 (quota): one accept of a user is one message of that template.

Accepts are told by WeChat's push and by the mini-program, which knows also of those that WeChat
shows no popup for (总是保持以上选择). One that both tell within some minutes is one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from sqlalchemy import Update, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from backend.notifications.tables import SUBSCRIPTION, SUBSCRIPTION_ACCEPT

SAME_WITHIN: Final = timedelta(minutes=10)
_PAIR: Final = text(
    """
    UPDATE subscription_accept SET paired_at = :at WHERE id = (
        SELECT id FROM subscription_accept
        WHERE resident_id = :resident AND template_id = :template AND source <> :source
            AND paired_at IS NULL AND at BETWEEN :first AND :last
        ORDER BY abs(extract(epoch FROM at - :at)), id LIMIT 1 FOR UPDATE
    ) RETURNING id
    """
)
_COUNT: Final = text(
    """
    INSERT INTO subscription (resident_id, template_id, accepts) VALUES (:resident, :template, 1)
    ON CONFLICT (resident_id, template_id)
        DO UPDATE SET accepts = subscription.accepts + 1, refused_at = NULL
    """
)
_LOCK: Final = text(
    """
    INSERT INTO subscription (resident_id, template_id) VALUES (:resident, :template)
    ON CONFLICT (resident_id, template_id) DO UPDATE SET accepts = subscription.accepts
    """
)
_RESERVE: Final = text(
    """
    WITH wanted AS (
        SELECT * FROM unnest(CAST(:residents AS bigint[]), CAST(:templates AS text[]))
            AS w (resident_id, template_id)
    ), free AS (
        SELECT s.resident_id, s.template_id FROM subscription AS s JOIN wanted USING
            (resident_id, template_id)
        WHERE s.refused_at IS NULL AND (s.sends < s.accepts OR s.accepts > 0 AND EXISTS (
            SELECT FROM wechat_template AS t
            WHERE t.template_id = s.template_id AND t.long_term))
        ORDER BY s.resident_id, s.template_id FOR UPDATE OF s
    )
    UPDATE subscription AS s SET sends = s.sends + 1 FROM free
    WHERE s.resident_id = free.resident_id AND s.template_id = free.template_id
    RETURNING s.resident_id, s.template_id
    """
)


@dataclass(frozen=True, slots=True)
class Accept:
    """One template accepted once. `source`: who tells it; `call`: the mini-program's own number of
    the asking, None from the push; `at`: aware.
    """

    resident_id: int
    template_id: str
    source: Literal["push", "client"]
    at: datetime
    call: str | None = None


def note_accept(session: Session, accept: Accept) -> bool:
    """Count an accept; False: it was told before, by the same or the other way."""
    whose = {"resident": accept.resident_id, "template": accept.template_id}
    session.execute(_LOCK, whose)  # both ways may tell it at once
    if _told(session, accept):
        return False
    asked = {
        **whose,
        "source": accept.source,
        "at": accept.at,
        "first": accept.at - SAME_WITHIN,
        "last": accept.at + SAME_WITHIN,
    }
    same = session.execute(_PAIR, asked).first() is not None
    session.execute(
        insert(SUBSCRIPTION_ACCEPT).values(
            resident_id=accept.resident_id,
            template_id=accept.template_id,
            source=accept.source,
            call=accept.call,
            at=accept.at,
            paired_at=accept.at if same else None,
        )
    )
    if not same:
        session.execute(_COUNT, whose)
    return not same


def note_refused(session: Session, resident_id: int, template_id: str, at: datetime) -> None:
    """The user refuses messages of the template from now on, in the settings of the phone."""
    made = insert(SUBSCRIPTION).values(
        resident_id=resident_id, template_id=template_id, refused_at=at
    )
    session.execute(
        made.on_conflict_do_update(
            index_elements=["resident_id", "template_id"], set_={"refused_at": at}
        )
    )


def reserve(session: Session, wanted: Iterable[tuple[int, str]]) -> set[tuple[int, str]]:
    """Use one accept of each (account, template) that has one left; which those are."""
    asked = sorted(set(wanted))
    if not asked:
        return set()
    columns = {"residents": [one for one, _ in asked], "templates": [one for _, one in asked]}
    return {(row.resident_id, row.template_id) for row in session.execute(_RESERVE, columns)}


def give_back(session: Session, resident_id: int, template_id: str) -> None:
    """Nothing was sent: the accept is still there."""
    own = _own(resident_id, template_id)
    session.execute(own.where(SUBSCRIPTION.c.sends > 0).values(sends=SUBSCRIPTION.c.sends - 1))


def used_up(session: Session, resident_id: int, template_id: str) -> None:
    """WeChat says that no accept is left, whatever we counted."""
    session.execute(_own(resident_id, template_id).values(accepts=0, sends=0))


def left(session: Session, resident_id: int) -> Sequence[tuple[str, int]]:
    """How many messages of each template an account still allows; 0 after a refusal."""
    query = text(
        "SELECT template_id, CASE WHEN refused_at IS NULL THEN greatest(accepts - sends, 0)"
        " ELSE 0 END FROM subscription WHERE resident_id = :resident ORDER BY template_id"
    )
    return [(row[0], row[1]) for row in session.execute(query, {"resident": resident_id})]


def _told(session: Session, accept: Accept) -> bool:
    if accept.call is None:
        return False
    again = text(
        "SELECT FROM subscription_accept WHERE resident_id = :resident"
        " AND template_id = :template AND call = :call"
    )
    whose = {"resident": accept.resident_id, "template": accept.template_id, "call": accept.call}
    return session.execute(again, whose).first() is not None


def _own(resident_id: int, template_id: str) -> Update:
    own = SUBSCRIPTION.c
    return update(SUBSCRIPTION).where(
        own.resident_id == resident_id, own.template_id == template_id
    )
