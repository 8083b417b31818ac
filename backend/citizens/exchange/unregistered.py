"""未登记 (unregistered): hospitals and villages that a file names and nobody registered; taken."""

from __future__ import annotations

from typing import Final

from backend.citizens.exchange.registry import add_notes
from backend.citizens.exchange.step import Step

_HOSPITALS: Final = "SELECT count(*) FROM hospital WHERE NOT registered AND file_id = %s"
_VILLAGES: Final = "SELECT count(*) FROM area_unit WHERE name = '' AND file_id = %s"


def note_unregistered(step: Step) -> None:
    """Note how many the file was the first to name."""
    if hospitals := _count(step, _HOSPITALS):
        add_notes(
            step,
            f"文件里有 {hospitals} 家医疗机构还没有登记，已先收下：请导入 hospitals 文件补登记",
        )
    if villages := _count(step, _VILLAGES):
        add_notes(step, f"文件里有 {villages} 个村（社区）代码是第一次出现，已先收下：请核对")


def _count(step: Step, query: str) -> int:
    row = step.connection.execute(query, [step.file_id]).fetchone()
    return row[0] if row else 0
