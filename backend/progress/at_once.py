"""进度一次查 (at once): who looks, the request counted, the look written down and what is told, by
one statement of the database (`migrations/sql/progress_at_once.sql`).

It knows the two commonest rights: residents who may see the person's file, and who decides in the
area. Of everybody else's rights the row policies are asked, by `timeline`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final, TypeAlias

import msgspec
from sqlalchemy import text
from sqlalchemy.orm import Session

from backend.accounts.scope import Actor

_AT_ONCE: Final = text(
    """
    SELECT looked.told::text, count_hit(
        sha256(convert_to(replace(:counted_as, '{}', looked.told ->> 'label'), 'UTF8')),
        1, :most, :seconds)
    FROM (SELECT progress_at_once(:token, :wanted) AS told OFFSET 0) AS looked
    WHERE looked.told IS NOT NULL
    """
)


Window: TypeAlias = tuple[str, int, int]
"""How often an account may ask: the key of the count, with `{}` for the account; how many times; in
how many seconds."""


class StepRow(msgspec.Struct, array_like=True, frozen=True):
    """A step as it lies in the table; `note`: sealed, in hexadecimal digits."""

    id: int
    seq: int
    deed: str
    to_state: str
    proposal: str
    reason: str
    role: str
    day: date
    note: str


class ClockRow(msgspec.Struct, array_like=True, frozen=True):
    """A period that has not ended."""

    clock: str
    due_on: date
    provisional: bool
    stopped: bool


class CaseRow(msgspec.Struct, frozen=True):
    """An application as the reader may see it. `own`: the reader's word is the person's;
    `data_key`: sealed, in hexadecimal digits, None: no note, or none that the reader may open;
    `messages`: the number of a step and the message that told of it."""

    person_id: int
    kind: str
    policy: str
    state: str
    desk: str
    own: bool
    ui_mode: str | None
    data_key: str | None
    steps: list[StepRow]
    clocks: list[ClockRow]
    messages: list[tuple[int, int]]


class _Found(msgspec.Struct, frozen=True):
    actor: Actor
    case: CaseRow | None = None


_FOUND: Final = msgspec.json.Decoder(_Found)


@dataclass(slots=True)
class AtOnce:
    """A look at one application, made while its reader comes in. `case`: what was found, already
    written down as looked at; None: not yet, or not by these rights."""

    case_id: int
    case: CaseRow | None = None

    def enter(self, session: Session, token: str, window: Window) -> tuple[Actor | None, bool]:
        """Act in the session of the token and look: who it is (None: nobody), and whether the
        request was counted (False: too many)."""
        counted_as, most, seconds = window
        asked = {
            "token": token, "wanted": self.case_id, "counted_as": counted_as, "most": most,
            "seconds": seconds,
        }  # fmt: skip
        row = session.execute(_AT_ONCE, asked).first()
        if row is None:
            return None, False
        found = _FOUND.decode(row[0])
        self.case = found.case
        return found.actor, row[1]
