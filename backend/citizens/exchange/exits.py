"""死亡和迁出 (exits): the days that a person's recognised events lead to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import psycopg

from backend.citizens.exchange.staging import keep
from backend.citizens.tables import PERSON

_REGISTERED_ELSEWHERE: Final = """
    SELECT count(DISTINCT v.area / 1000000) > 1 FROM (
        SELECT c.area, c.file_id FROM person c WHERE c.id = p.id AND c.known
        UNION ALL
        SELECT h.area, h.file_id FROM person_history h
        WHERE h.id = p.id AND h.known AND h.superseded_by > h.revision
            AND h.superseded_by > least(e.revision, (
                SELECT min(o.revision) FROM vital_event_history o
                WHERE o.person_id = p.id AND o.id = e.id
            ))
    ) AS v JOIN data_file f ON f.id = v.file_id AND f.state <> 'undone'
"""
"""Of a person `p` with an event `e`: files that stand have named more counties than one since the
event came."""
_DAYS: Final = f"""
    SELECT p.id,
        coalesce(min(e.on_day) FILTER (WHERE e.event = 'death'), 'infinity') AS died_on,
        coalesce(min(e.on_day) FILTER (WHERE e.event = 'moved_away'), 'infinity') AS left_on
    FROM person p LEFT JOIN vital_event e ON e.person_id = p.id
        AND (e.event <> 'moved_away' OR NOT ({_REGISTERED_ELSEWHERE}))
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
    counts, and a person decides what the later ones mean. Who has moved away and is then registered
    in another county is there in full; the event stays."""
    changed = [row[0] for row in connection.execute(_DIFFERENT, [list(people)])]
    keep(connection, PERSON, changed, revision)
    if changed:
        connection.execute(_SETTLE, [revision, changed])
