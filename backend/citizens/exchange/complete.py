"""全量名册 (complete): who is absent from a roster that is declared whole no longer holds it.

Whole for the departments and categories (roles, of assignments) that the file names, of the same
origin. Nobody's rows end while rows of the file are refused: the person may stand in one of them.
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
    ), named AS (SELECT DISTINCT {scope} FROM {table} JOIN brought USING (id))
    SELECT id FROM {table} JOIN named USING ({scope})
    WHERE from_on < %(day)s AND to_on >= %(day)s AND {origin}
        AND NOT EXISTS (SELECT FROM brought WHERE brought.id = {table}.id)
"""
_END: Final = "UPDATE {table} SET to_on = %s, file_id = %s, revision = %s WHERE id = ANY(%b)"
_SCOPES: Final = {
    "identities": ("category, department", "origin_area = %(origin)s"),
    "assignments": ("role", "(%(low)s = 0 OR area BETWEEN %(low)s AND %(high)s)"),
}


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
    ids = _absent(step, record)
    keep(step.connection, table, ids, step.revision)
    end = [record.complete_on - timedelta(days=1), step.file_id, step.revision, ids]
    step.connection.execute(_END.format(table=table.name), end)
    add_notes(step, f"不在全量名册里的 {len(ids)} 条已终止于 {end[0]}")


def _absent(step: Step, record: Row[Any]) -> list[int]:
    scope, origin = _SCOPES[record.kind]
    query = _ABSENT.format(table=FORMS[record.kind].table.name, scope=scope, origin=origin)
    low, high = code_range(str(record.origin_area)) if record.origin_area else (0, 0)
    values = {
        "file": step.file_id,
        "day": record.complete_on,
        "origin": record.origin_area,
        "low": low,
        "high": high,
    }
    return [row[0] for row in step.connection.execute(query, values)]
