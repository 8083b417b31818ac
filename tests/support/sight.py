"""Whom a session sees one by one, as the database says."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.orm import Session


def people_in_scope(session: Session) -> frozenset[int]:
    """A resident's own person and those acted for; of staff who visit, those assigned or delegated
    to them. Whom staff see for where people live, or are registered, is not among them.
    """
    return frozenset(session.execute(text("SELECT scope_people()")).scalar_one() or ())
