"""进度一次查 (at once): who looks, the request counted, the look written down and what is told, by
one statement of the database (`migrations/sql/look_at_progress.sql`), a transaction of its own.

It knows the two commonest rights: residents who may see the person's file, and who decides in the
area. Of everybody else's rights the row policies are asked, by `timeline`.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Final

import msgspec
from sqlalchemy import text

from backend.accounts.scope import Actor, Entry
from backend.kernel.database import whole

_LOOK: Final = text(
    "SELECT look_at_progress(:token, :wanted, :counted_as, :most, :seconds,"
    " CAST(:at_level AS smallint), CAST(:roles AS text[]))::text"
)


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


class Looked(msgspec.Struct, frozen=True):
    """A look at one application, made while its reader came in. `counted`: False: the account asks
    too often. `case`: what was found, already written down as looked at; None: nothing by these
    rights."""

    actor: Actor
    counted: bool
    case: CaseRow | None = None


_LOOKED: Final = msgspec.json.Decoder(Looked)


def look_at(case_id: int, entry: Entry) -> Looked | None:
    """Let in and look; None: nobody is signed in by the token."""
    (told,) = whole(_LOOK, {"wanted": case_id, **asdict(entry)})
    return None if told is None else _LOOKED.decode(told)
