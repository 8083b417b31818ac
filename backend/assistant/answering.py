"""答 (answering): one utterance is understood, and what is to be said is written down, together."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from backend.assistant import sayings
from backend.assistant.conversations import (
    Content,
    Said,
    content_of,
    memory_of,
    remember,
    write_down,
)
from backend.assistant.handover import HandOver, hand_over
from backend.assistant.knowing import known_of
from backend.assistant.replies import Known, Memory, Reply
from backend.assistant.speaker import Speaker
from backend.assistant.tables import CONVERSATION, UTTERANCE
from backend.kernel import audit
from backend.kernel.crypto import Keyring


def answer(session: Session, keyring: Keyring, utterance_id: int, speaker: Speaker) -> int:
    """Write down the answer to an utterance, once, to be sent; returns the conversation's id.

    Nothing is sent here, and nothing answered whose account was closed meanwhile. A conversation
    that a person must take over gets a work item in the same transaction.
    """
    said = session.execute(select(UTTERANCE).where(UTTERANCE.c.id == utterance_id)).one()
    query = select(CONVERSATION).where(CONVERSATION.c.id == said.conversation_id)
    conversation = session.execute(query.with_for_update()).one()
    if conversation.ended_at is not None or not take(session, utterance_id):
        return int(conversation.id)
    known, whose = known_of(session, conversation, speaker.today)
    memory = memory_of(session, keyring, conversation, said)
    content = content_of(keyring, said.id, said.content)
    reply = _reply(speaker, content, memory, known)
    for told in reply.parts:
        one = Said(conversation.id, "assistant", Content.of(told), "due", reply.intent)
        write_down(session, keyring, one)
    remember(session, keyring, conversation.id, reply.memory)
    if reply.intent == "progress" and whose.people:
        audit.read_people(session, whose, whose.people, "own", ["grants"])
    if reply.hand_over is not None and reply.area is not None:
        hand_over(session, HandOver(said, reply.hand_over, reply.area, whose.person), speaker.today)
    return int(conversation.id)


def take(session: Session, utterance_id: int) -> bool:
    """Mark an utterance as answered: whether nobody has answered it yet."""
    one = update(UTTERANCE).where(UTTERANCE.c.id == utterance_id, UTTERANCE.c.state == "heard")
    taken = session.execute(one.values(state="answered").returning(UTTERANCE.c.id))
    return taken.first() is not None


def _reply(speaker: Speaker, content: Content, memory: Memory, known: Known) -> Reply:
    if content.kind == "other":
        return Reply("out_of_scope", (sayings.NOT_TEXT,), memory)
    return speaker.reply(content.text, memory, known)
