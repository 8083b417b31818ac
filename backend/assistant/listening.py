"""听 (listening): what WeChat pushes of the chat is written down, and a job is left to answer."""

from __future__ import annotations

from typing import Final, NamedTuple

from sqlalchemy import update
from sqlalchemy.orm import Session

from backend.assistant.conversations import Content, Said, conversation_of, write_down
from backend.assistant.tables import CONVERSATION
from backend.assistant.window import ENTERED, WROTE, open_window
from backend.kernel import keys
from backend.kernel.jobs import Task, defer
from backend.wechat.push import Push

KINDS: Final = ("text", "image", "voice", "video", "location", "link", "miniprogrampage")
ENTER: Final = "user_enter_tempsession"
LONGEST: Final = 2_000
"""Characters of a message that are kept."""


class Heard(NamedTuple):
    """The ids of a conversation and of what was said in it."""

    conversation: int
    utterance: int


def lock(conversation: int) -> str:
    """Jobs of one conversation run one after another."""
    return f"assistant/{conversation}"


def hear(session: Session, push: Push, answer: Task[[int]]) -> None:
    """Write down what a person wrote, and have it answered; once, however often it is told."""
    heard = write_down_heard(session, push)
    if heard is not None:
        defer(session, answer, lock=lock(heard.conversation), utterance_id=heard.utterance)


def write_down_heard(session: Session, push: Push) -> Heard | None:
    """What a person wrote; None where it was written down before."""
    keyring = keys.keyring()
    conversation = conversation_of(session, keyring, push.openid)
    text = str(push.body.get("Content") or "")[:LONGEST] if push.kind == "text" else ""
    said = Said(
        conversation, "resident", Content(text), "heard", cause=push.key, at=push.created_at
    )
    utterance = write_down(session, keyring, said)
    if utterance is None:
        return None
    open_window(session, conversation, WROTE, push.created_at)
    one = update(CONVERSATION).where(CONVERSATION.c.id == conversation)
    session.execute(
        one.where(CONVERSATION.c.said_at < push.created_at).values(said_at=push.created_at)
    )
    return Heard(conversation, utterance)


def enter(session: Session, push: Push, deliver: Task[[int]]) -> None:
    """A person opened the chat: what waited may be sent now."""
    conversation = conversation_of(session, keys.keyring(), push.openid)
    open_window(session, conversation, ENTERED, push.created_at)
    defer(session, deliver, lock=lock(conversation), conversation_id=conversation)
