"""会话 (conversations): found by the blind index of the openid; what is said in them, sealed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal, TypeAlias

import msgspec
from sqlalchemy import Row, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from backend.accounts.residents import account_of_openid
from backend.assistant.pages import Page
from backend.assistant.replies import Memory
from backend.assistant.tables import CONVERSATION, UTTERANCE
from backend.kernel.crypto import Keyring, Place
from backend.kernel.row_ids import next_id

SaidBy: TypeAlias = Literal["resident", "assistant", "staff"]
FORGETS_AFTER: Final = timedelta(hours=24)
"""Between two words of the person: an estimate half asked is not gone on with after so long."""


class Content(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was said: a text, or a card with its title and page. `""`: neither, a picture say."""

    text: str = ""
    title: str = ""
    path: str = ""

    @classmethod
    def of(cls, said: str | Page) -> Content:
        """A text or a card."""
        return cls(said) if isinstance(said, str) else cls(title=said.title, path=said.path)

    @property
    def said(self) -> str:
        """The text, or the card's title."""
        return self.text or self.title

    @property
    def kind(self) -> str:
        """As `utterance.kind`."""
        return "card" if self.path else "text" if self.text else "other"


@dataclass(frozen=True, slots=True)
class Said:
    """Something new to be written down. `cause`: the push that brought it, once."""

    conversation: int
    by: SaidBy
    content: Content
    state: str
    intent: str = ""
    staff_no: str | None = None
    cause: bytes | None = None
    at: datetime | None = None


def conversation_of(session: Session, keyring: Keyring, openid: str) -> int:
    """The conversation with a WeChat user, begun where there is none, held until the transaction
    ends; it is the resident's whose account that is now.
    """
    indexes = list(keyring.indexes("openid", openid))
    found = _find(session, indexes)
    if found is None:
        own = next_id(session)
        sealed = keyring.shared().seal(Place("conversation", "openid", own), openid)
        new = insert(CONVERSATION).values(id=own, openid=sealed, openid_index=indexes[0])
        session.execute(new.on_conflict_do_nothing(index_elements=["openid_index"]))
        found = _find(session, indexes)
    if found is None:
        raise RuntimeError("a conversation was begun and is not there")
    # Asked while the row is held: whoever closes the account ends the conversation.
    resident = account_of_openid(session, keyring, openid)
    one = update(CONVERSATION).where(CONVERSATION.c.id == found)
    session.execute(one.values(resident_id=resident))
    return found


def write_down(session: Session, keyring: Keyring, said: Said) -> int | None:
    """Keep what was said; its id, None where the push was written down before."""
    own = next_id(session)
    place = Place("utterance", "content", own)
    row: dict[str, Any] = {
        "id": own,
        "conversation_id": said.conversation,
        "cause": said.cause,
        "said_by": said.by,
        "staff_no": said.staff_no,
        "kind": said.content.kind,
        "content": keyring.shared().seal(place, msgspec.json.encode(said.content).decode()),
        "intent": said.intent,
        "at": said.at or func.now(),
        "state": said.state,
    }
    if said.cause is None:
        session.execute(UTTERANCE.insert().values(row))
        return own
    new = insert(UTTERANCE).on_conflict_do_nothing(index_elements=["cause"])
    made = session.execute(new.values(row).returning(UTTERANCE.c.id)).scalar()
    return None if made is None else int(made)


def content_of(keyring: Keyring, utterance: int, sealed: bytes) -> Content:
    """What an utterance says."""
    opened = keyring.shared().open(Place("utterance", "content", utterance), bytes(sealed))
    return msgspec.json.decode(opened, type=Content)


def memory_of(session: Session, keyring: Keyring, row: Row[Any], said: Row[Any]) -> Memory:
    """What the conversation remembers as it is `said`; after a long silence only the place."""
    opened = keyring.shared().open(_memory_place(row.id), bytes(row.memory))
    memory = msgspec.json.decode(opened, type=Memory) if opened else Memory()
    before = _word_before(session, said)
    if before is None or said.at - before > FORGETS_AFTER:
        return Memory(area=memory.area)
    return memory


def remember(session: Session, keyring: Keyring, conversation: int, memory: Memory) -> None:
    """Keep what the next answer needs."""
    said = msgspec.json.encode(memory).decode()
    sealed = keyring.shared().seal(_memory_place(conversation), said)
    one = update(CONVERSATION).where(CONVERSATION.c.id == conversation)
    session.execute(one.values(memory=sealed))


def openid_of(keyring: Keyring, conversation: int, sealed: bytes) -> str:
    """With whom a conversation is."""
    return keyring.shared().open(Place("conversation", "openid", conversation), bytes(sealed))


def _find(session: Session, indexes: list[bytes]) -> int | None:
    query = select(CONVERSATION.c.id).where(CONVERSATION.c.openid_index.in_(indexes))
    found = session.execute(query.with_for_update()).scalar()
    return None if found is None else int(found)


def _word_before(session: Session, said: Row[Any]) -> datetime | None:
    """When the person had last said something; `said_at` is the moment of this very word."""
    query = select(UTTERANCE.c.at).where(
        UTTERANCE.c.conversation_id == said.conversation_id,
        UTTERANCE.c.said_by == "resident",
        UTTERANCE.c.id < said.id,
    )
    return session.execute(query.order_by(UTTERANCE.c.id.desc()).limit(1)).scalar()


def _memory_place(conversation: int) -> Place:
    return Place("conversation", "memory", conversation)
