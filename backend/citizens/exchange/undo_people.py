"""撤回参保人文件 (undo people): people, their numbers and merges as they were without the file.

A person whom no other file registers stays as one whom rows name and the register does not know:
the id is kept for the day on which the register brings them again. A number or a merge stays where
a later file has registered the person since.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import psycopg

from backend.citizens.exchange.exits import settle_exits
from backend.citizens.exchange.forms import FORMS
from backend.citizens.exchange.staging import keep
from backend.citizens.tables import PERSON

_OURS: Final = "SELECT id FROM person WHERE file_id = %s AND known"
_SAID: Final = (
    "known", "area", "lives_in", "household_id", "insurance", "rural", "declined_health_service",
    "born_on", "sex", "guardian_id", "name", "phone", "phone_index",
)  # fmt: skip
_LEFT: Final = (
    "SELECT DISTINCT h.id FROM person_history h"
    " JOIN vital_event e ON e.person_id = h.id AND e.event = 'moved_away' WHERE h.file_id = %s"
)
"""Whom the file may have registered in another county than the one they left."""
_UNKNOWN: Final = (
    "UPDATE person SET known = false, area = 0, lives_in = 0, household_id = 0, insurance = 0,"
    " rural = false, declined_health_service = false, guardian_id = 0, name = '', phone = '',"
    " phone_index = '', revision = %s WHERE id = ANY(%b)"
)
_RESTORE: Final = (
    f"UPDATE person p SET {', '.join(f'{one} = h.{one}' for one in _SAID)},"
    " file_id = back.file_id, revision = %s FROM back JOIN person_history h"
    " ON h.id = back.id AND h.revision = back.version AND h.superseded_by > h.revision"
    " WHERE p.id = back.id"
)
_AREAS: Final = (
    "UPDATE {table} t SET area = p.area FROM person p"
    " WHERE p.id = t.person_id AND p.id = ANY(%b) AND t.area <> p.area"
)
_NOT_SINCE: Final = """
    NOT EXISTS (
        SELECT FROM person p WHERE p.id = n.person_id AND p.known AND p.file_id > %(file)s
    ) AND n.person_id NOT IN (
        SELECT unnest(u.row_ids) FROM data_file_unchanged u JOIN data_file f ON f.id = u.file_id
        WHERE u.file_id > %(file)s AND f.kind = 'people' AND f.state <> 'undone'
    )
"""
"""Of rows `n` with a person: no later file has registered the person."""
GIVEN: Final = f"SELECT number_index FROM person_number n WHERE file_id = %(file)s AND {_NOT_SINCE}"
_KEEP_NUMBERS: Final = """
    INSERT INTO person_number_history
        (number_index, person_id, current, number, file_id, revision, superseded_by)
    SELECT number_index, person_id, current, number, file_id, revision, %(revision)s
    FROM person_number WHERE number_index = ANY(%(given)b)
"""
_NONE_CURRENT: Final = (
    "UPDATE person_number SET current = false WHERE number_index = ANY(%(given)b)"
)
"""A person's numbers change places row by row, and no two may be current at any of them."""
_NUMBERS_BACK: Final = """
    UPDATE person_number n SET person_id = h.person_id, current = h.current, number = h.number,
        file_id = h.file_id, revision = %(revision)s
    FROM (
        SELECT DISTINCT ON (o.number_index) o.* FROM person_number_history o
            JOIN data_file f ON f.id = o.file_id AND f.state <> 'undone'
        WHERE o.number_index = ANY(%(given)b) ORDER BY o.number_index, o.superseded_by DESC
    ) AS h
    WHERE h.number_index = n.number_index
"""
_NUMBERS_GONE: Final = """
    DELETE FROM person_number n USING person_number_history h
    WHERE n.number_index = ANY(%(given)b) AND n.file_id = %(file)s
        AND h.number_index = n.number_index AND h.file_id = %(file)s
        AND h.superseded_by = %(revision)s
        AND EXISTS (
            SELECT FROM person_number o
            WHERE o.person_id = n.person_id AND o.file_id <> %(file)s
                AND (o.current OR NOT h.current)
        )
"""
_NUMBERS_STAY: Final = """
    UPDATE person_number n SET current = true FROM person_number_history h
    WHERE n.number_index = ANY(%(given)b) AND n.file_id = %(file)s AND h.current
        AND h.number_index = n.number_index AND h.file_id = %(file)s
        AND h.superseded_by = %(revision)s
"""
_MERGES: Final = (
    "UPDATE person_merge n SET undone_at = now() WHERE file_id = %(file)s AND undone_at IS NULL"
    f" AND {_NOT_SINCE} RETURNING merged_id, person_id, revision"
)
_PART_ROWS: Final = """
    DELETE FROM {table} t USING {table}_history h
    WHERE h.person_id = %(merged)s AND h.superseded_by = %(at)s AND t.id = h.id
        AND t.revision = %(at)s
"""
_PUT_BACK: Final = """
    INSERT INTO {table} ({columns}, revision) SELECT {columns}, %(revision)s FROM {table}_history h
    WHERE h.person_id IN (%(merged)s, %(into)s) AND h.superseded_by = %(at)s
        AND NOT EXISTS (SELECT FROM {table} t WHERE t.id = h.id)
        AND NOT EXISTS (SELECT FROM data_file f WHERE f.id = h.file_id AND f.state = 'undone')
    ON CONFLICT DO NOTHING
"""
_PART_PERSON: Final = (
    f"UPDATE person p SET {', '.join(f'{one} = h.{one}' for one in _SAID)},"
    " file_id = h.file_id, revision = %(revision)s FROM person_history h"
    " WHERE p.id = %(merged)s AND h.id = p.id AND h.superseded_by = %(at)s"
)
_WARDS_BACK: Final = (
    "UPDATE person p SET guardian_id = %(merged)s, revision = %(revision)s FROM person_history h"
    " WHERE h.id = p.id AND h.superseded_by = %(at)s AND h.guardian_id = %(merged)s"
    " AND p.guardian_id = %(into)s"
)
_MOVED: Final = ("identities", "bills", "assignments", "vital")


def undo_people(
    connection: psycopg.Connection[Any], serial: int, revision: int, find_back: str
) -> tuple[list[int], int]:
    """The people whom the file had registered, and how many of them other files register."""
    given = [row[0] for row in connection.execute(GIVEN, {"file": serial})]
    parted = _undo_merges(connection, serial, revision)
    ids = [row[0] for row in connection.execute(_OURS, [serial])]
    keep(connection, PERSON, ids, revision)
    connection.execute(find_back.format(table="person", only="AND h.known"), {"ids": ids})
    connection.execute(_UNKNOWN, [revision, ids])
    restored = connection.execute(_RESTORE, [revision]).rowcount
    _undo_numbers(connection, {"file": serial, "given": given, "revision": revision})
    people = [*ids, *parted]
    left = [row[0] for row in connection.execute(_LEFT, [serial])]
    settle_exits(connection, [*people, *left], revision)
    for kind in _MOVED:
        connection.execute(_AREAS.format(table=FORMS[kind].table.name), [people])
    return ids, restored


def _undo_numbers(connection: psycopg.Connection[Any], values: Mapping[str, Any]) -> None:
    """A number that the file gave stays only where it is all that leads to the person."""
    for statement in (_KEEP_NUMBERS, _NONE_CURRENT, _NUMBERS_BACK, _NUMBERS_GONE, _NUMBERS_STAY):
        connection.execute(statement, values)


def _undo_merges(connection: psycopg.Connection[Any], serial: int, revision: int) -> list[int]:
    """Part again who were made one by the file; rows that changed since stay where they are."""
    people: list[int] = []
    merges = connection.execute(_MERGES, {"file": serial}).fetchall()
    for merged, into, at in sorted(merges, reverse=True):
        values = {"merged": merged, "into": into, "at": at, "revision": revision}
        for kind in _MOVED:
            _part_rows(connection, kind, values)
        keep(connection, PERSON, [merged], revision)
        connection.execute(_PART_PERSON, values)
        connection.execute(_WARDS_BACK, values)
        people += [merged, into]
    return people


def _part_rows(connection: psycopg.Connection[Any], kind: str, values: dict[str, int]) -> None:
    table = FORMS[kind].table
    moved = (
        f"SELECT t.id FROM {table.name} t JOIN {table.name}_history h USING (id)"
        " WHERE h.person_id = %(merged)s AND h.superseded_by = %(at)s AND t.revision = %(at)s"
    )
    keep(
        connection, table, [row[0] for row in connection.execute(moved, values)], values["revision"]
    )
    connection.execute(_PART_ROWS.format(table=table.name), values)
    columns = ", ".join(one.name for one in table.columns if one.name != "revision")
    connection.execute(_PUT_BACK.format(table=table.name, columns=columns), values)
