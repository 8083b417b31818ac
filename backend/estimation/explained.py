"""What an explanation consists of: steps, what other identities would have given, the citation."""

from __future__ import annotations

from msgspec import Struct

from backend.kernel.money import format_yuan
from backend.policies.shapes import ReadingShape


class Step(Struct, frozen=True):
    """One step: a sentence, and the amount it arrives at (fen), if it arrives at one."""

    text: str
    amount: int | None = None


class Alternative(Struct, frozen=True):
    """What another identity of the person would have given (fen)."""

    identity: str
    amount: int


class Explained(Struct, frozen=True):
    """Why a layer pays what it pays. `clause`: the clause applied; `at_least`: the document states
    a floor (不低于); `readings`: unclear clauses that were read in applying it."""

    identity: str | None
    steps: tuple[Step, ...]
    clause: str
    document: str
    rule_version: str
    at_least: bool
    readings: tuple[ReadingShape, ...]
    others: tuple[Alternative, ...]


def yuan(fen: int) -> str:
    """An amount in a sentence: `3000.00 元`."""
    return f"{format_yuan(fen)} 元"
