"""月度核验 (monthly): both rules over a county, with a record of what was found."""

from __future__ import annotations

from dataclasses import asdict
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from backend.kernel import audit
from backend.kernel.audit import Subject
from backend.policies.book import PolicyBook
from backend.warnings.cross_check import CrossCheck, Found, cross_check, watch

_LONGEST: Final = "10min"
"""A county of a million people is gathered in one statement."""


def check_county(
    session: Session, check: CrossCheck, book: PolicyBook, by: str
) -> tuple[Found, Found | None]:
    """The share of income, and the people watched (None: the place has set no line); audited.

    Raises `UnknownArea`, `NoFigure`.
    """
    session.execute(text(f"SET LOCAL statement_timeout = '{_LONGEST}'"))
    found, watched = cross_check(session, check, book), watch(session, check, book)
    audit.record(
        session,
        actor=by,
        action="warnings.cross_check",
        subject=Subject("area", check.county),
        detail={
            "year": check.year,
            "as_of": check.as_of.isoformat(),
            "income_share": asdict(found),
            "watched": None if watched is None else asdict(watched),
        },
    )
    return found, watched
