"""可以说话的时候 (window): how long, and how often, WeChat lets us write to a person.

After a person writes: 48 hours and 5 messages; after they open the chat: 1 minute and 2. Each act
sets both anew, so that opening the chat shortens what writing had opened. Kept in our own row, from
what WeChat pushes: nothing is sent that would be refused.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, NamedTuple

from sqlalchemy import update
from sqlalchemy.orm import Session

from backend.assistant.tables import CONVERSATION


class Allowance(NamedTuple):
    """For how long, and how many messages."""

    lasts: timedelta
    messages: int


WROTE: Final = Allowance(timedelta(hours=48), 5)
ENTERED: Final = Allowance(timedelta(minutes=1), 2)


def open_window(session: Session, conversation: int, allowed: Allowance, at: datetime) -> None:
    """Begin anew with what an act at that moment allows; an act before the last one does not."""
    one = update(CONVERSATION).where(
        CONVERSATION.c.id == conversation, CONVERSATION.c.opened_at <= at
    )
    session.execute(
        one.values(opened_at=at, open_until=at + allowed.lasts, messages_left=allowed.messages)
    )


def use_window(session: Session, conversation: int, now: datetime) -> datetime | None:
    """Take one message off the allowance; which: when it was opened. None: nothing may be sent."""
    one = update(CONVERSATION).where(
        CONVERSATION.c.id == conversation,
        CONVERSATION.c.messages_left > 0,
        CONVERSATION.c.open_until > now,
    )
    left = CONVERSATION.c.messages_left - 1
    used = session.execute(one.values(messages_left=left).returning(CONVERSATION.c.opened_at))
    return used.scalar_one_or_none()


def give_back(session: Session, conversation: int, opened: datetime) -> None:
    """Nothing was sent: the message counts again, unless the person opened anew meanwhile."""
    one = update(CONVERSATION).where(
        CONVERSATION.c.id == conversation, CONVERSATION.c.opened_at == opened
    )
    session.execute(one.values(messages_left=CONVERSATION.c.messages_left + 1))


def close_window(session: Session, conversation: int) -> None:
    """WeChat says that nothing may be sent, whatever we counted."""
    one = update(CONVERSATION).where(CONVERSATION.c.id == conversation)
    session.execute(one.values(messages_left=0))
