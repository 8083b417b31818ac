"""送出 (sending): what is to be said goes out through WeChat's window, in its order, once.

A message is marked and its share of the window taken before the call; what the call came to is
written down after it, and the share given back where nothing was sent. A worker that is killed in
between leaves a message that was perhaps sent: it is not sent again, and stands in the
mini-program; of a word of staff the person is told otherwise. No call is made inside a transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from backend.assistant.conversations import Content, content_of, openid_of
from backend.assistant.tables import CONVERSATION, UTTERANCE
from backend.assistant.unsent import owe_notices, whose
from backend.assistant.window import close_window, give_back, use_window
from backend.kernel.crypto import Keyring
from backend.kernel.database import transaction
from backend.notifications.alarms import used_up_today
from backend.wechat.errors import (
    WeChatBusy,
    WeChatNotConfigured,
    WeChatRefused,
    WeChatUnavailable,
    WeChatUnknown,
)
from backend.wechat.retrying import USED_UP_TODAY

WINDOW_CLOSED: Final = frozenset({45015, 45047})
"""WeChat's own count says that nothing may be sent."""
LATER: Final = timedelta(seconds=30)
UNSENT: Final = ("due", "waiting")
PERHAPS_SENT: Final = ("sent", "unknown")


class Speak(Protocol):
    """Sends in the chat; raises the errors of `wechat.calls.send_text`."""

    def text(self, openid: str, text: str) -> None:
        """A text."""

    def card(self, openid: str, title: str, path: str) -> None:
        """A card that opens a page of the mini-program."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message that may be sent now: its share of the window `opened` then is taken."""

    id: int
    conversation: int
    opened: datetime
    openid: str
    content: Content


class SendLater(Exception):
    """WeChat takes nothing at the moment: the rest is tried again after `pause`."""

    def __init__(self, pause: timedelta) -> None:
        super().__init__("send later")
        self.pause = pause


def deliver(conversation: int, speak: Speak, keyring: Keyring, now: datetime) -> int:
    """Send what is due and what waited, oldest first, while the window is open; returns how many.

    Opens transactions. One at a time for a conversation (the jobs' lock). Raises `SendLater`.
    """
    with transaction() as session:
        _give_up_lost(session, conversation)
    sent = 0
    while True:
        with transaction() as session:
            message = _next(session, keyring, conversation, now)
        if message is None:
            return sent
        state, errcode, pause = _send(message, speak)
        with transaction() as session:
            _note(session, message, state, errcode)
            if errcode == USED_UP_TODAY:
                used_up_today(session, whose(session, conversation), now)
        if pause is not None:
            raise SendLater(pause)
        if state == "waiting":
            return sent
        sent += state == "sent"


def _give_up_lost(session: Session, conversation: int) -> None:
    """Of a worker that was killed: whether these were sent, nobody knows."""
    lost = update(UTTERANCE).where(
        UTTERANCE.c.conversation_id == conversation, UTTERANCE.c.state == "sending"
    )
    gone = session.execute(lost.values(state="unknown").returning(UTTERANCE.c.id)).scalars()
    owe_notices(session, conversation, list(gone))


def _next(session: Session, keyring: Keyring, conversation: int, now: datetime) -> Outgoing | None:
    """The oldest unsent message, marked; None: there is none, or nothing may be sent and all wait.

    A staff member's word goes before the program's.
    """
    query = select(UTTERANCE.c.id, UTTERANCE.c.content).where(
        UTTERANCE.c.conversation_id == conversation, UTTERANCE.c.state.in_(UNSENT)
    )
    first = (UTTERANCE.c.said_by != "staff", UTTERANCE.c.id)
    row = session.execute(query.order_by(*first).limit(1).with_for_update()).one_or_none()
    if row is None:
        return None
    opened = use_window(session, conversation, now)
    if opened is None:
        _all_wait(session, conversation)
        return None
    marked = update(UTTERANCE).where(UTTERANCE.c.id == row.id)
    session.execute(marked.values(state="sending"))
    sealed = select(CONVERSATION.c.openid).where(CONVERSATION.c.id == conversation)
    openid = openid_of(keyring, conversation, session.execute(sealed).scalar_one())
    content = content_of(keyring, row.id, row.content)
    return Outgoing(row.id, conversation, opened, openid, content)


def _send(message: Outgoing, speak: Speak) -> tuple[str, int | None, timedelta | None]:
    """The state that the message is in then, WeChat's number, and when to go on."""
    content = message.content
    try:
        if content.kind == "card":
            speak.card(message.openid, content.title, content.path)
        else:
            speak.text(message.openid, content.text)
    except WeChatRefused as error:
        state = "waiting" if error.errcode in WINDOW_CLOSED else "refused"
        return state, error.errcode, None
    except WeChatUnknown as error:
        return "unknown", error.errcode, None
    except WeChatBusy as error:
        return "due", error.errcode, timedelta(seconds=error.pause)
    except WeChatUnavailable as error:
        return "due", error.errcode, LATER
    except WeChatNotConfigured:
        return "waiting", None, None
    return "sent", None, None


def _note(session: Session, message: Outgoing, state: str, errcode: int | None) -> None:
    one = update(UTTERANCE).where(UTTERANCE.c.id == message.id, UTTERANCE.c.state == "sending")
    session.execute(one.values(state=state, errcode=errcode))
    if state not in PERHAPS_SENT:
        give_back(session, message.conversation, message.opened)
    if state not in ("sent", "due") or errcode == USED_UP_TODAY:
        owe_notices(session, message.conversation, [message.id])
    if errcode in WINDOW_CLOSED:
        close_window(session, message.conversation)
    if state == "waiting":
        _all_wait(session, message.conversation)


def _all_wait(session: Session, conversation: int) -> None:
    """Nothing can be sent: what is due waits for the person; a word of staff is told otherwise."""
    due = update(UTTERANCE).where(
        UTTERANCE.c.conversation_id == conversation, UTTERANCE.c.state == "due"
    )
    waits = session.execute(due.values(state="waiting").returning(UTTERANCE.c.id)).scalars()
    owe_notices(session, conversation, list(waits))
