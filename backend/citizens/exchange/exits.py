"""死亡和迁出 (exits): the days that a person's recognised events lead to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import psycopg

from backend.citizens.exchange.staging import keep
from backend.citizens.tables import PERSON

_DAYS: Final = """
    SELECT p.id,
        coalesce(min(e.on_day) FILTER (WHERE e.event = 'death'), 'infinity') AS died_on,
        coalesce(min(e.on_day) FILTER (WHERE e.event = 'moved_away'), 'infinity') AS left_on
    FROM person p LEFT JOIN vital_event e ON e.person_id = p.id
    WHERE p.id = ANY(%b) GROUP BY p.id
"""
_DIFFERENT: Final = f"""
    SELECT p.id FROM ({_DAYS}) AS due JOIN person p USING (id)
    WHERE (p.died_on, p.left_on) <> (due.died_on, due.left_on)
"""
_SETTLE: Final = f"""
    UPDATE person p SET died_on = due.died_on, left_on = due.left_on, revision = %s
    FROM ({_DAYS}) AS due WHERE p.id = due.id
"""


def settle_exits(connection: psycopg.Connection[Any], people: Sequence[int], revision: int) -> None:
    """Set `died_on` and `left_on` by the events as they stand; of several of a kind the first day
    counts, and a person decides what the later ones mean."""
    changed = [row[0] for row in connection.execute(_DIFFERENT, [list(people)])]
    keep(connection, PERSON, changed, revision)
    if changed:
        connection.execute(_SETTLE, [revision, changed])
