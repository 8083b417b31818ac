"""查询码 (by code): where an application stands, for whoever shows its code; nothing personal."""

from __future__ import annotations

from datetime import date
from typing import ClassVar, Final

import msgspec
from sqlalchemy import LargeBinary, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from backend.applications.submitting import CODE, CODE_LENGTH
from backend.kernel.crypto import Keyring
from backend.kernel.errors import DomainError, Fault
from backend.policies.procedures import KINDS
from backend.progress.words import WORDS

_FOUND: Final = text("SELECT * FROM case_by_code(:indexes)").bindparams(
    bindparam("indexes", type_=ARRAY(LargeBinary))
)


class UnknownProgressCode(DomainError):
    """No application has this code; a code that could be none is answered alike."""

    code: ClassVar[str] = "unknown-progress-code"


class Standing(msgspec.Struct, frozen=True):
    """`since`: the day of the last step; `due_on`: the latest day of what runs; None: nothing runs;
    `provisional`: it may move."""

    kind: str
    kind_name: str
    state: str
    state_name: str
    since: date
    due_on: date | None
    provisional: bool


def standing_of(session: Session, keyring: Keyring, code: str, *, elder: bool = False) -> Standing:
    """Where the application with this code stands. Raises `UnknownProgressCode`."""
    asked = {"indexes": list(keyring.indexes(CODE, plain(code)))}
    row = session.execute(_FOUND, asked).first()
    if row is None:
        raise UnknownProgressCode(
            Fault("/code", f"没有查到：请核对 {CODE_LENGTH} 位查询码，在提交时和“我的申请”里都有。")
        )
    words = WORDS.states[row.state]
    said = words.elder if elder else words.normal
    return Standing(
        row.kind, KINDS.get(row.kind, row.kind), row.state, said.name,
        row.since, row.due_on, bool(row.provisional),
    )  # fmt: skip


def plain(typed: str) -> str:
    """A code as it was given out, however it was typed: spaces, hyphens and small letters."""
    return "".join(one for one in typed.upper() if one.isalnum())
