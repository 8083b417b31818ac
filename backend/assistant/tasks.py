"""任务 (tasks): what residents write is answered, what waits is sent, what is old is forgotten."""

from __future__ import annotations

from datetime import datetime, time
from typing import Final

from sqlalchemy.orm import Session

from backend.assistant import listening
from backend.assistant.answering import answer
from backend.assistant.forgetting import forget_old
from backend.assistant.ground import speaker
from backend.assistant.handover import close_with
from backend.assistant.sending import SendLater, Speak, deliver
from backend.assistant.wechat_voice import WeChatVoice
from backend.kernel import clock, keys
from backend.kernel.clock import CHINA
from backend.kernel.database import transaction
from backend.kernel.jobs import defer, task
from backend.kernel.jobs_schedule import every_day
from backend.wechat.handlers import on_push
from backend.wechat.push import Push

QUEUE: Final = "assistant"
VOICE: Final[Speak] = WeChatVoice()


@task("assistant.answer", queue=QUEUE)
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


@task("assistant.close", queue=QUEUE)
def close_handover(utterance_id: int) -> None:
    """The member of staff who said this said that it is done."""
    with transaction() as session:
        close_with(session, utterance_id)


def _deliver(conversation: int) -> None:
    try:
        deliver(conversation, VOICE, keys.keyring(), clock.now())
    except SendLater as later:
        with transaction() as session:
            defer(
                session,
                deliver_waiting,
                lock=listening.lock(conversation),
                at=clock.now() + later.pause,
                conversation_id=conversation,
            )


@on_push(*listening.KINDS)
def hear(session: Session, push: Push) -> None:
    """A person wrote."""
    listening.hear(session, push, answer_utterance)


@on_push(listening.ENTER)
def enter(session: Session, push: Push) -> None:
    """A person opened the chat."""
    listening.enter(session, push, deliver_waiting)


@every_day("assistant.forget", queue=QUEUE, at=time(3, 30))
def forget(session: Session, period: str) -> None:
    """On the day of the period."""
    forget_old(session, datetime.fromisoformat(period).replace(tzinfo=CHINA))
