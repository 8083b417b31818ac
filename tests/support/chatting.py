"""A resident on the phone and a worker at work: chats of tests against the simulator."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Engine, TextClause, text
from sqlalchemy.orm import Session

from backend.assistant import tasks  # noqa: F401  (its handlers and tasks register themselves)
from backend.kernel import clock
from backend.kernel.database import bound, transaction
from backend.kernel.jobs import TASKS
from backend.wechat.handlers import handle
from backend.wechat.push import Push
from tests.support.wechat import Simulator

USER: Final = "resident1"
_QUEUE: Final = "assistant"
_FETCH: Final = text(
    "SELECT id, task_name, args FROM procrastinate_fetch_job_v2(ARRAY[:queue], NULL)"
)
"""As the task library fetches: what a lock holds up is not taken."""
_NOW_DUE: Final = text(
    "UPDATE procrastinate_jobs SET scheduled_at = NULL WHERE queue_name = :queue"
    " AND status = 'todo'"
)
_GONE: Final = text("DELETE FROM procrastinate_jobs WHERE id = :id")


@dataclass
class Phone:
    """A user of the simulator. `engine`: the owner's, to look and to take jobs with; what it does
    is done as the worker that is bound."""

    engine: Engine
    worker: Engine
    simulator: Simulator
    user: str = USER
    openid: str = field(init=False)

    def __post_init__(self) -> None:
        self.openid = self.simulator.openid(self.user)

    def say(self, said: str, *, times: int = 1) -> Push:
        """Write something, told to us so many times; nothing is answered yet."""
        self.simulator.send(self.user, said)
        return self.tell("text", "", {"Content": said}, times=times)

    def show_picture(self) -> Push:
        """Send a picture."""
        self.simulator.send_image(self.user)
        return self.tell("image", "", {"PicUrl": "https://example.invalid/1"})

    def enter(self) -> Push:
        """Open the chat."""
        self.simulator.enter_session(self.user)
        return self.tell("event", "user_enter_tempsession", {"SessionFrom": ""})

    def tell(
        self,
        kind: str,
        event: str,
        body: dict[str, Any],
        *,
        times: int = 1,
        at: datetime | None = None,
    ) -> Push:
        """What WeChat pushes, handled as a worker does."""
        push = Push(secrets.token_bytes(32), kind, event, self.openid, at or clock.now(), body)
        for _ in range(times):
            with bound(self.worker), transaction() as session:
                assert handle(session, push)
        return push

    def work(self, *, later: bool = False, most: int = 100) -> int:
        """Do every job of the chat that waits, one after another; `later`: also those for later."""
        done = 0
        while done < most and (job := self._take(later)) is not None:
            try:
                with bound(self.worker):
                    TASKS[job.task_name](**job.args)
            finally:
                self._change(_GONE, id=job.id)
            done += 1
        return done

    def ask(self, said: str) -> list[str]:
        """Write something and have it answered: what came, cards by their page."""
        before = len(self.seen())
        self.say(said)
        self.work()
        return self.seen()[before:]

    def seen(self) -> list[str]:
        """Everything that came to the user, oldest first."""
        inbox = self.simulator.inbox(self.user, "customer")
        return [_shown(one) for one in inbox]

    def rows(self, query: str, **values: Any) -> list[Any]:
        """Rows as the owner sees them."""
        with Session(self.engine) as session:
            return list(session.execute(text(query), values))

    def _take(self, later: bool) -> Any:
        if later:
            self._change(_NOW_DUE, queue=_QUEUE)
        with Session(self.engine) as session, session.begin():
            job = session.execute(_FETCH, {"queue": _QUEUE}).one()
            return None if job.id is None else job

    def _change(self, statement: TextClause, **values: Any) -> None:
        with Session(self.engine) as session, session.begin():
            session.execute(statement, values)


def _shown(message: dict[str, Any]) -> str:
    if message["msgtype"] == "text":
        return str(message["text"]["content"])
    return str(message["miniprogrampage"]["pagepath"])
