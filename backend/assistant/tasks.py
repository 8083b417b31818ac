"""任务 (tasks): what residents write is answered, what waits is sent, what is old is forgotten."""

from __future__ import annotations

import logging
from datetime import datetime, time
from typing import Final

from sqlalchemy.orm import Session

from backend.assistant import listening
from backend.assistant.answering import answer
from backend.assistant.apologising import apologise, tell_fault
from backend.assistant.forgetting import forget_old
from backend.assistant.ground import speaker
from backend.assistant.sending import SendLater, Speak, deliver
from backend.assistant.wechat_voice import WeChatVoice
from backend.kernel import clock, keys
from backend.kernel.clock import CHINA
from backend.kernel.database import transaction
from backend.kernel.jobs import defer, task
from backend.kernel.jobs_schedule import every_day
from backend.wechat.handlers import on_given_up, on_push
from backend.wechat.push import Push
from backend.wechat.received import opened_push

log = logging.getLogger(__name__)

QUEUE: Final = "assistant"
TRIES: Final = 2
"""What is tried again keeps the conversation's lock: it must not hold up the next word for long."""
VOICE: Final[Speak] = WeChatVoice()


def apologise_for(utterance_id: int) -> None:
    """It could not be answered to the last: say so, and have a person look."""
    log.error("utterance not answered", extra={"number": utterance_id})
    with transaction() as session:
        _apologise(session, utterance_id)


@task("assistant.answer", queue=QUEUE, retry=TRIES, given_up=apologise_for)
def answer_utterance(utterance_id: int) -> None:
    """Answer once, then send; a second run only sends what the first did not."""
    with transaction() as session:
        by = speaker(session, clock.today())
        conversation = answer(session, keys.keyring(), utterance_id, by)
    _deliver(conversation)


@task("assistant.deliver", queue=QUEUE, retry=TRIES)
def deliver_waiting(conversation_id: int) -> None:
    """Send what waits in a conversation, as far as WeChat lets us."""
    _deliver(conversation_id)


@task("assistant.deliver_later", queue=QUEUE)
def deliver_later(conversation_id: int) -> None:
    """What could not be sent is tried again now.

    A job that waits for its time holds up every later one of its lock: so this one has none.
    """
    with transaction() as session:
        _leave(session, conversation_id)


def _deliver(conversation: int) -> None:
    try:
        deliver(conversation, VOICE, keys.keyring(), clock.now())
    except SendLater as later:
        with transaction() as session:
            _put_off(session, conversation, clock.now() + later.pause)


def _put_off(session: Session, conversation: int, at: datetime) -> None:
    """At most one a minute, however many words the person writes meanwhile."""
    one = f"{listening.lock(conversation)}/{at:%d%H%M}"
    defer(session, deliver_later, queueing_lock=one, at=at, conversation_id=conversation)


def _leave(session: Session, conversation: int) -> None:
    lock = listening.lock(conversation)
    defer(session, deliver_waiting, lock=lock, conversation_id=conversation)


def _apologise(session: Session, utterance: int) -> None:
    _leave(session, apologise(session, keys.keyring(), utterance, clock.today()))


@on_push(*listening.KINDS)
def hear(session: Session, push: Push) -> None:
    """A person wrote."""
    listening.hear(session, push, answer_utterance)


@on_given_up(*listening.KINDS)
def hear_in_vain(session: Session, push: Push, push_id: int) -> None:
    """A person wrote, and not even that could be taken in as it should be."""
    defer(session, take_up, push_id=push_id)


def leave_sorry(push_id: int) -> None:
    """What they wrote cannot be written down at all."""
    with transaction() as session:
        defer(session, say_sorry, push_id=push_id)


@task("assistant.take_up", queue=QUEUE, retry=0, given_up=leave_sorry)
def take_up(push_id: int) -> None:
    """Write down once more what was not heard, and apologise in the conversation."""
    with transaction() as session:
        push = opened_push(session, keys.keyring(), push_id)
        heard = None if push is None else listening.write_down_heard(session, push)
        if heard is not None:
            _apologise(session, heard.utterance)


@task("assistant.say_sorry", queue=QUEUE)
def say_sorry(push_id: int) -> None:
    """Ask them to write again: without a conversation, where keeping one is what fails."""
    with transaction() as session:
        push = opened_push(session, keys.keyring(), push_id)
    if push is not None:
        tell_fault(VOICE, push.openid)


@on_push(listening.ENTER)
def enter(session: Session, push: Push) -> None:
    """A person opened the chat."""
    listening.enter(session, push, deliver_waiting)


@every_day("assistant.forget", queue=QUEUE, at=time(3, 30))
def forget(session: Session, period: str) -> None:
    """On the day of the period."""
    forget_old(session, datetime.fromisoformat(period).replace(tzinfo=CHINA))
