"""巡看 (watches): what every worker looks at every few seconds, to see whether there is work.

A job is left with its cause where the cause knows of it. What lower parts of the program leave in
tables for higher ones, or what nobody said before it died, is found by looking. A look is short,
opens no transaction of its own, and may be taken by several workers at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from sqlalchemy.orm import Session

from backend.kernel.database import transaction

Look: TypeAlias = Callable[[Session], None]


@dataclass(frozen=True, slots=True)
class Watch:
    """Workers of `queue` take the look every so many seconds."""

    name: str
    queue: str
    seconds: float
    look: Look

    def __call__(self) -> None:
        """One look, in a transaction of its own."""
        with transaction() as session:
            self.look(session)


WATCHES: Final[dict[str, Watch]] = {}
"""Every watch of the modules imported so far, by name."""


def every_seconds(name: str, *, queue: str, seconds: float) -> Callable[[Look], Watch]:
    """Make a function a watch. Raises `ValueError` for a name taken already."""

    def registered(look: Look) -> Watch:
        if name in WATCHES:
            raise ValueError(f"two watches are called {name}")
        made = Watch(name, queue, seconds, look)
        WATCHES[name] = made
        return made

    return registered


def watches_of(queues: tuple[str, ...]) -> tuple[Watch, ...]:
    """What a worker of these queues looks at."""
    return tuple(one for one in WATCHES.values() if one.queue in queues)
