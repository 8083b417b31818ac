"""重叠 (overlaps): intervals of one person, category and department that would share a day.

A recognition made here stands beside what the department's rosters say (`application_id`).

Lines are taken one by one in their order, whatever the size of the chunks. A line whose days are
taken waits for the end of the file: a later line may close the interval that was in its way.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

GROUP: Final = ("person_id", "category", "department", "application_id")
REASON: Final = (
    "这段身份的期间与同一人、同一类别、同一部门的另一段重叠：请先改正或终止那一段，再导入这一行"
)
_COLUMNS: Final = (*GROUP, "from_on", "to_on", "line")
_STANDS: Final = 0
"""For a line: the row is in the table already."""


def refused_lines(rows: pl.DataFrame, current: pl.DataFrame, *, at_end: bool = False) -> set[int]:
    """Lines of the rows whose days are taken, by current rows or by lines before them.

    `at_end`: what is refused is tried again as long as another line was taken.
    """
    standing = current.with_columns(line=pl.lit(_STANDS, pl.Int64))
    both = pl.concat([standing.select(_COLUMNS), rows.select(_COLUMNS)])
    longest = both.group_by(*GROUP, "from_on").agg(pl.col("to_on").max()).sort(*GROUP, "from_on")
    # Where any two share a day, two neighbours do.
    before = pl.col("to_on").shift(1).over(GROUP)
    groups = longest.filter(pl.col("from_on") <= before).select(GROUP).unique()
    if groups.is_empty():
        return set()
    told = both.join(groups, on=GROUP, how="semi").sort("line").partition_by(GROUP)
    return {line for group in told for line in _refused(group, at_end=at_end)}


def _refused(group: pl.DataFrame, *, at_end: bool) -> set[int]:
    """Days are text, which sorts as days do, `infinity` last."""
    spans: dict[str, str] = {}
    waiting: list[tuple[str, str, int]] = []
    for first, last, line in group.select("from_on", "to_on", "line").iter_rows():
        if line == _STANDS or _free(spans, first, last):
            spans[first] = last
        else:
            waiting.append((first, last, line))
    while at_end and (one := next((w for w in waiting if _free(spans, *w[:2])), None)):
        spans[one[0]] = one[1]
        waiting.remove(one)
    return {line for _, _, line in waiting}


def _free(spans: Mapping[str, str], first: str, last: str) -> bool:
    """Whether no other interval has any of the days; one that begins on `first` is replaced."""
    return not any(
        start != first and start <= last and first <= end for start, end in spans.items()
    )
