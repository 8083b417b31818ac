"""县 (counties): where people of the register are registered."""

from __future__ import annotations

from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

# One probe of the index a county, whatever the number of people.
_COUNTIES: Final = text(
    """
    WITH RECURSIVE county AS (
        SELECT min(area) / 1000000 AS code FROM person WHERE known AND area > 0
        UNION ALL
        SELECT (SELECT min(area) / 1000000 FROM person
            WHERE known AND area >= (county.code + 1) * 1000000)
        FROM county WHERE code IS NOT NULL
    )
    SELECT code FROM county WHERE code IS NOT NULL
    """
)


def counties(session: Session) -> list[str]:
    """The six-digit codes, in order."""
    return [f"{code:06d}" for code in session.execute(_COUNTIES).scalars()]
