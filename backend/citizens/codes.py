"""代码编号 (codes): words of the vocabulary as small numbers, given at first use and kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from backend.citizens.tables import CODE_NUMBER

_TRIES: Final = 5


class CodesContended(RuntimeError):
    """Other transactions kept taking the same numbers, or this one cannot see them."""


class Codes:
    """Numbers of codes by kind: category, department, setting, disease_group, layer, …"""

    @staticmethod
    def numbers(session: Session, kind: str, codes: Iterable[str]) -> dict[str, int]:
        """The number of each code; a code that has none gets one.

        Codes without a number are given theirs in this transaction, which must read what others
        commit (not REPEATABLE READ). Raises `CodesContended`.
        """
        wanted = list(dict.fromkeys(codes))
        for _ in range(_TRIES):
            known = Codes.all(session, kind)
            missing = [code for code in wanted if code not in known]
            if not missing:
                return {code: known[code] for code in wanted}
            _give(session, kind, missing)
        raise CodesContended(kind)

    @staticmethod
    def given(session: Session, wanted: Mapping[str, Iterable[str]]) -> dict[str, dict[str, int]]:
        """By kind: the number of every code that has one, new ones among them (`numbers`)."""
        kinds = CODE_NUMBER.c.kind.in_(wanted)
        rows = session.execute(select(CODE_NUMBER).where(kinds)).all()
        found: dict[str, dict[str, int]] = {kind: {} for kind in wanted}
        for row in rows:
            found[row.kind][row.code] = row.number
        for kind, codes in wanted.items():
            if not found[kind].keys() >= set(codes):
                found[kind] |= Codes.numbers(session, kind, codes)
        return found

    @staticmethod
    def all(session: Session, kind: str) -> dict[str, int]:
        """Code → number, of every code of the kind that has one."""
        query = select(CODE_NUMBER.c.code, CODE_NUMBER.c.number).where(CODE_NUMBER.c.kind == kind)
        return {row.code: row.number for row in session.execute(query)}

    @staticmethod
    def names(session: Session, kind: str) -> dict[int, str]:
        """Number → code."""
        return {number: code for code, number in Codes.all(session, kind).items()}


def _give(session: Session, kind: str, codes: list[str]) -> None:
    """Number the codes from the highest number on; where another transaction was first, do nothing
    (its rows conflict) and let the caller look again."""
    last = select(func.coalesce(func.max(CODE_NUMBER.c.number), 0)).where(
        CODE_NUMBER.c.kind == kind
    )
    highest = session.execute(last).scalar_one()
    rows = [
        {"kind": kind, "code": code, "number": highest + place}
        for place, code in enumerate(codes, start=1)
    ]
    session.execute(insert(CODE_NUMBER).values(rows).on_conflict_do_nothing())
