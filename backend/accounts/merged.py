"""合为一人 (merged): what is on record of somebody who turned out to be another counts for them.

Records keep the number under which they were made; who asks for a person asks for all of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, any_, cast, func
from sqlalchemy.dialects.postgresql import ARRAY


def of_people(column: ColumnElement[Any], people: Iterable[int]) -> ColumnElement[bool]:
    """SQL: the column names one of these people, by whichever number."""
    asked = cast(sorted(people), ARRAY(BigInteger))
    return column == any_(func.same_people(asked))


def now(column: ColumnElement[Any]) -> ColumnElement[int]:
    """SQL: by which number the person of the column goes now."""
    return func.person_now(column, type_=BigInteger)
