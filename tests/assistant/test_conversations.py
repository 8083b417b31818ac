"""Whole talks with the chat, as residents had them: each line of tests/cases/conversations.yaml."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Final

import pytest

from backend.assistant.asking import Asking
from backend.assistant.replies import Known, Memory, Reply
from backend.assistant.speaker import Speaker
from backend.estimation.terms import Rules
from tests.support.conversations import AREA, Conversation, Line, conversations

TODAY: Final = date(2026, 11, 21)


@pytest.mark.parametrize("one", conversations(), ids=lambda one: one.name)
def test_a_conversation_goes_as_it_should(
    one: Conversation, speaker: Speaker, rules: Rules
) -> None:
    known = Known(person=True, area=AREA) if one.known else Known()
    memory, asking = Memory(), Asking(rules.book, TODAY)
    for line in one.lines:
        reply = speaker.reply(line.say * line.times, memory, known)
        memory = reply.memory
        known = replace(known, handed_over=known.handed_over or reply.hand_over is not None)
        asked = memory.waiting if memory.sheet is None else asking.next(memory.sheet)
        held(line, reply, asked or "nothing")


def held(line: Line, reply: Reply, asked: str) -> None:
    """Whether what was said and asked is what the line wants."""
    said = "\n".join(reply.texts)
    told = f"{line.say} → {reply.intent}, asks {asked}: {said}"
    assert line.intent in (None, reply.intent), told
    assert line.asks in (None, asked), told
    assert all(part in said for part in line.has), told
    assert not any(part in said for part in line.lacks), told
    assert line.hands_over in (None, reply.hand_over or "nobody"), told
