"""推送的处理 (handlers): what higher capabilities do with what WeChat tells.

They register in a module that their `tasks` module imports, so that every worker knows them. A
handler runs in a worker, in the transaction that marks the push as done: it may be run again after
an error, its effect is kept once. It calls nobody: what must be sent becomes a job.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from sqlalchemy.orm import Session

from backend.wechat.push import Push

Handler: TypeAlias = Callable[[Session, Push], None]
Carer: TypeAlias = Callable[[Session, Push, int], None]
"""The number finds the push again in a job (`received.opened_push`)."""

HANDLERS: Final[dict[str, list[Handler]]] = {}
"""By the name of a push, in the order in which they registered."""
GIVEN_UP: Final[dict[str, Carer]] = {}
"""By the name of a push: what is done instead, when its handlers failed to the last."""


def on_push(*names: str) -> Callable[[Handler], Handler]:
    """Have a function called for pushes of these names: an event (`subscribe_msg_popup_event`) or
    a kind of message (`text`). Several may be registered for one name.
    """

    def registered(handler: Handler) -> Handler:
        for name in names:
            HANDLERS.setdefault(name, []).append(handler)
        return handler

    return registered


def on_given_up(*names: str) -> Callable[[Carer], Carer]:
    """Have a function called for pushes of these names that could not be handled."""

    def registered(carer: Carer) -> Carer:
        GIVEN_UP.update(dict.fromkeys(names, carer))
        return carer

    return registered


def handle(session: Session, push: Push) -> int:
    """Call everybody who registered for it; returns how many."""
    called = HANDLERS.get(push.name, ())
    for handler in called:
        handler(session, push)
    return len(called)


def give_up(session: Session, push: Push, push_id: int) -> None:
    """What is done about a push that could not be handled; mostly nothing."""
    carer = GIVEN_UP.get(push.name)
    if carer is not None:
        carer(session, push, push_id)
