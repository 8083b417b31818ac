"""查询码 (by code): where an application stands, for whoever shows its code; nothing personal."""

from __future__ import annotations

from datetime import date
from typing import ClassVar, Final

import msgspec
from sqlalchemy import LargeBinary, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from backend.applications.submitting import CODE, CODE_LENGTH, plain
from backend.kernel.crypto import Keyring
from backend.kernel.errors import DomainError, Fault
from backend.progress.at_once import ClockRow
from backend.progress.timeline import Period, period_of
from backend.progress.words import WORDS, Mode, to_do

_FOUND: Final = text("SELECT * FROM case_by_code(:indexes)").bindparams(
    bindparam("indexes", type_=ARRAY(LargeBinary))
)


class UnknownProgressCode(DomainError):
    """No application has this code; a code that could be none is answered alike."""

    code: ClassVar[str] = "unknown-progress-code"


class Standing(msgspec.Struct, frozen=True):
    """`todo`: what the resident does; `since`: the day of the last step; `until`: the period that
    is due first; None: none runs."""

    state: str
    state_name: str
    todo: str
    since: date
    until: Period | None


def standing_of(
    session: Session, keyring: Keyring, code: str, today: date, *, elder: bool = False
) -> Standing:
    """Where the application with this code stands. Raises `UnknownProgressCode`."""
    asked = {"indexes": list(keyring.indexes(CODE, plain(code)))}
    row = session.execute(_FOUND, asked).first()
    if row is None:
        raise UnknownProgressCode(
            Fault("/code", f"没有查到：请核对 {CODE_LENGTH} 位查询码，在提交时和“我的申请”里都有。")
        )
    mode: Mode = "elder" if elder else "normal"
    until = None
    if row.clock is not None:
        clock = ClockRow(row.clock, row.due_on, bool(row.provisional), stopped=False)
        until = period_of(clock, today, mode)
    name = WORDS.states[row.state].to(mode).name
    return Standing(row.state, name, to_do(row.state, row.deed, mode), row.since, until)
