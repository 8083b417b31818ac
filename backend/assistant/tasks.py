"""任务 (tasks): what residents write is answered, what waits is sent, what is old is forgotten."""

from __future__ import annotations

import logging
from datetime import datetime, time
from typing import Final

from sqlalchemy.orm import Session

from backend.assistant import listening
from backend.assistant.answering import answer
from backend.assistant.apologising import apologise
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

log = logging.getLogger(__name__)

QUEUE: Final = "assistant"
VOICE: Final[Speak] = WeChatVoice()


def apologise_for(utterance_id: int) -> None:
    """It could not be answered to the last: say so, and have a person look."""
    log.error("utterance not answered", extra={"number": utterance_id})
    with transaction() as session:
        _apologise(session, utterance_id)


@task("assistant.answer", queue=QUEUE, given_up=apologise_for)
def answer_utterance(utterance_id: int) -> None:
    """Answer once, then send; a second run only sends what the first did not."""
    with transaction() as session:
        by = speaker(session, clock.today())
        conversation = answer(session, keys.keyring(), utterance_id, by, clock.now())
    _deliver(conversation)


@task("assistant.deliver", queue=QUEUE)
def deliver_waiting(conversation_id: int) -> None:
    """Send what waits in a conversation, as far as WeChat lets us."""
    _deliver(conversation_id)


def _deliver(conversation: int) -> None:
    try:
        deliver(conversation, VOICE, keys.keyring(), clock.now())
    except SendLater as later:
        with transaction() as session:
            _leave(session, conversation, clock.now() + later.pause)


def _leave(session: Session, conversation: int, at: datetime | None = None) -> None:
    lock = listening.lock(conversation)
    defer(session, deliver_waiting, lock=lock, at=at, conversation_id=conversation)


def _apologise(session: Session, utterance: int) -> None:
    _leave(session, apologise(session, keys.keyring(), utterance, clock.today()))


@on_push(*listening.KINDS)
def hear(session: Session, push: Push) -> None:
    """A person wrote."""
    listening.hear(session, push, answer_utterance)


@on_given_up(*listening.KINDS)
def hear_in_vain(session: Session, push: Push) -> None:
    """A person wrote, and not even that could be taken in as it should be."""
    heard = listening.write_down_heard(session, push)
    if heard is not None:
        _apologise(session, heard.utterance)


@on_push(listening.ENTER)
def enter(session: Session, push: Push) -> None:
    """A person opened the chat."""
    listening.enter(session, push, deliver_waiting)


@every_day("assistant.forget", queue=QUEUE, at=time(3, 30))
def forget(session: Session, period: str) -> None:
    """On the day of the period."""
    forget_old(session, datetime.fromisoformat(period).replace(tzinfo=CHINA))
