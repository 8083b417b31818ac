"""全量名册 (complete): who is absent from a roster that is declared whole no longer holds it.

Whole for the departments and categories (roles, of assignments) that the file names, in the area
that it is said to come from; where none is said, in the counties of its own people. Nobody's rows
end while rows of the file are refused: the person may stand in one of them.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Row

from backend.citizens.exchange.forms import FORMS
from backend.citizens.exchange.registry import add_notes
from backend.citizens.exchange.staging import keep
from backend.citizens.exchange.step import Step
from backend.kernel.areas import code_range

KINDS: Final = ("identities", "assignments")
_ABSENT: Final = """
    WITH brought AS (
        SELECT id FROM {table} WHERE file_id = %(file)s
        UNION SELECT id FROM {table}_history WHERE file_id = %(file)s
        UNION SELECT unnest(row_ids) FROM data_file_unchanged WHERE file_id = %(file)s
    ), named AS (SELECT DISTINCT {scope} FROM {table} JOIN brought USING (id)),
    covered AS (SELECT DISTINCT area / 1000000 AS county FROM {table} JOIN brought USING (id))
    SELECT id, {ends} FROM {table} JOIN named USING ({scope})
    WHERE from_on < %(day)s AND to_on >= %(day)s AND {origin}
        AND NOT EXISTS (SELECT FROM brought WHERE brought.id = {table}.id)
"""
_IN_COVERED: Final = (
    "area / 1000000 IN (SELECT county FROM covered)"
    " AND (area > 0 OR NOT EXISTS (SELECT FROM covered WHERE county > 0))"
)
"""Of people who are not registered nobody knows the county."""
_END: Final = "UPDATE {table} SET to_on = %s, file_id = %s, revision = %s WHERE id = ANY(%b)"
_SCOPES: Final = {
    "identities": (
        "category, department",
        "application_id = 0 AND"
        " (origin_area = %(origin)s OR origin_area = 0 AND area BETWEEN %(low)s AND %(high)s)",
        "application_id = 0 AND origin_area = 0",
    ),
    "assignments": ("role", "area BETWEEN %(low)s AND %(high)s", "true"),
}
"""Kind → what a roster is whole for; whose rows it may end where an area is said, and where none
is. Recognitions made here (`application_id`) are not a roster's to end."""


def end_the_absent(step: Step, record: Row[Any]) -> None:
    """End, the day before, the rows that held on the roster's day and are not in it."""
    if record.complete_on is None:
        return
    if not record.rows:
        add_notes(
            step, "名册里一行也没有，看不出是哪个部门、哪一类的名册，没有终止任何人：请核对文件"
        )
        return
    if record.rejected:
        add_notes(
            step,
            f"有 {record.rejected} 行被退回，名册还不完整，不在册的暂未终止："
            "请改正后重新导入全部名册",
        )
        return
    table = FORMS[record.kind].table
    absent = _absent(step, record)
    ids = [id_ for id_, ends in absent if ends]
    keep(step.connection, table, ids, step.revision)
    end = [record.complete_on - timedelta(days=1), step.file_id, step.revision, ids]
    step.connection.execute(_END.format(table=table.name), end)
    add_notes(step, f"不在全量名册里的 {len(ids)} 条已终止于 {end[0]}")
    if left := len(absent) - len(ids):
        add_notes(
            step,
            f"另有 {left} 条不在册，但人还没有登记，看不出在哪个县，没有终止："
            "等他们登记后请再导入一次全量名册",
        )


def _absent(step: Step, record: Row[Any]) -> list[tuple[int, bool]]:
    """Rows that are not in the roster, and whether they end."""
    scope, said, unsaid = _SCOPES[record.kind]
    query = _ABSENT.format(
        table=FORMS[record.kind].table.name,
        scope=scope,
        origin=said if record.origin_area else unsaid,
        ends="true" if record.origin_area else _IN_COVERED,
    )
    low, high = code_range(str(record.origin_area)) if record.origin_area else (0, 0)
    values = {
        "file": step.file_id,
        "day": record.complete_on,
        "origin": record.origin_area,
        "low": low,
        "high": high,
    }
    return step.connection.execute(query, values).fetchall()
