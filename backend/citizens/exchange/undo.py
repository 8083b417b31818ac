"""撤回 (undo): a whole wrong file taken back.

Each row that it wrote returns to what the newest of the other files said, or goes. A file says what
it wrote, and what it brought as it stood already. Rows go to history; nothing is erased.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final

import psycopg
from sqlalchemy import func, update
from sqlalchemy.orm import Session

from backend.citizens.exchange import registry, staging
from backend.citizens.exchange.exits import settle_exits
from backend.citizens.exchange.forms import FORMS, Form
from backend.citizens.exchange.step import take_turn
from backend.citizens.exchange.undo_people import undo_people
from backend.citizens.file_tables import DATA_FILE
from backend.kernel import audit
from backend.kernel.audit import Subject
from backend.kernel.copy import raw
from backend.kernel.errors import DomainError, Fault

FIND_BACK: Final = """
    CREATE TEMP TABLE back ON COMMIT DROP AS
    WITH version AS (
        SELECT h.id, h.file_id, h.revision, h.superseded_by FROM {table}_history h
        WHERE h.id = ANY(%(ids)b) AND h.superseded_by > h.revision {only}
    ), said AS (
        SELECT id, file_id, revision AS at, revision AS version FROM version
        UNION ALL
        SELECT v.id, u.file_id, u.revision, v.revision FROM data_file_unchanged u
            CROSS JOIN unnest(u.row_ids) AS one
            JOIN version v ON v.id = one
                AND u.revision >= v.revision AND u.revision < v.superseded_by
    )
    SELECT DISTINCT ON (said.id) said.id, said.file_id, said.version
    FROM said JOIN data_file f ON f.id = said.file_id AND f.state <> 'undone'
    ORDER BY said.id, said.at DESC
"""
"""Of each row the newest version that a file which stands has said, as table `back`."""
_RESTORE: Final = """
    INSERT INTO {table} ({columns}, file_id, revision)
    SELECT {values}, back.file_id, %(revision)s FROM back
        JOIN {table}_history h ON h.id = back.id AND h.revision = back.version
            AND h.superseded_by > h.revision
        {people}
"""
_COLLIDING: Final = """
    SELECT DISTINCT i.file_id FROM back
        JOIN identity_history h ON h.id = back.id AND h.revision = back.version
            AND h.superseded_by > h.revision
        JOIN identity i USING (person_id, category, department, application_id)
    WHERE daterange(i.from_on, i.to_on, '[]') && daterange(h.from_on, h.to_on, '[]')
    ORDER BY i.file_id
"""


class UndoImpossible(DomainError):
    """Later files build upon the file."""

    code: ClassVar[str] = "undo-impossible"


@dataclass(frozen=True, slots=True)
class Undone:
    """What undoing a file came to. `before`: it had been undone already, nothing changed."""

    serial: int
    kind: str
    before: bool
    restored: int = 0
    removed: int = 0


def undo_file(session: Session, serial: int, by: str) -> Undone:
    """Take a file back whole. Raises `UnknownFile`, `UndoImpossible`."""
    revision = take_turn(session)
    record = registry.record_of(session, serial, lock=True)
    if record.state == "undone":
        return Undone(serial, record.kind, before=True)
    undone = update(DATA_FILE).where(DATA_FILE.c.id == serial)
    session.execute(undone.values(state="undone", undone_at=func.now(), undone_by=by))
    connection = raw(session)
    if record.kind == "people":
        ids, restored = undo_people(connection, serial, revision, FIND_BACK)
    else:
        ids, restored = _undo_rows(connection, FORMS[record.kind], serial, revision)
    done = Undone(serial, record.kind, False, restored, len(ids) - restored)
    detail = {"kind": record.kind, "restored": restored, "removed": done.removed}
    subject = Subject("data_file", str(serial))
    audit.record(session, actor=by, action="data_file.undo", subject=subject, detail=detail)
    return done


def _undo_rows(
    connection: psycopg.Connection[Any], form: Form, serial: int, revision: int
) -> tuple[list[int], int]:
    """The rows that the file had written, and how many of them returned to something."""
    table = form.table.name
    ids = [
        row[0] for row in connection.execute(f"SELECT id FROM {table} WHERE file_id = %s", [serial])
    ]
    people = _people_of(connection, form, ids)
    staging.keep(connection, form.table, ids, revision)
    connection.execute(f"DELETE FROM {table} WHERE id = ANY(%b)", [ids])
    connection.execute(FIND_BACK.format(table=table, only=""), {"ids": ids})
    if table == "identity":
        _refuse_collisions(connection)
    restored = connection.execute(_restoring(form), {"revision": revision}).rowcount
    if table == "vital_event":
        settle_exits(connection, people, revision)
    return ids, restored


def _people_of(connection: psycopg.Connection[Any], form: Form, ids: list[int]) -> list[int]:
    if form.owner != "person_id":
        return []
    query = f"SELECT DISTINCT person_id FROM {form.table.name} WHERE id = ANY(%b)"
    return [row[0] for row in connection.execute(query, [ids])]


def _restoring(form: Form) -> str:
    """The area is the person's of today, not of then."""
    columns = [one.name for one in form.table.columns if one.name not in ("file_id", "revision")]
    values = ["p.area" if one in form.derived and one == "area" else f"h.{one}" for one in columns]
    people = "JOIN person p ON p.id = h.person_id" if "person_id" in columns else ""
    return _RESTORE.format(
        table=form.table.name,
        columns=", ".join(columns),
        values=", ".join(values),
        people=people,
    )


def _refuse_collisions(connection: psycopg.Connection[Any]) -> None:
    files = [str(row[0]) for row in connection.execute(_COLLIDING)]
    if files:
        raise UndoImpossible(
            Fault(
                "/serial",
                "撤回后会有身份期间与后来的文件重叠：请先撤回编号 "
                + "、".join(files)
                + " 的文件。",
            )
        )
