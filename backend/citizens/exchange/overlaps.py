"""重叠 (overlaps): intervals of one person, category and department that would share a day.

What counts is the state after the whole chunk: a later line may close the interval that an earlier
one runs into. Of rows that still collide the earlier line is taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

GROUP: Final = ("person_id", "category", "department")
REASON: Final = (
    "这段身份的期间与同一人、同一类别、同一部门的另一段重叠：请先改正或终止那一段，再导入这一行"
)
_COLUMNS: Final = (*GROUP, "from_on", "to_on", "line")


@dataclass(frozen=True)
class _Span:
    """Days as text, which sorts as days do, `infinity` last. `line` None: stands in the table."""

    first: str
    last: str
    line: int | None

    def meets(self, others: Iterable[_Span]) -> bool:
        """Whether a day is shared with any."""
        return any(self.first <= one.last and one.first <= self.last for one in others)


def colliding_lines(rows: pl.DataFrame, current: pl.DataFrame) -> set[int]:
    """Lines of the rows that cannot be taken beside the current rows and each other."""
    standing = current.with_columns(line=pl.lit(None, pl.Int64))
    both = pl.concat([rows.select(_COLUMNS), standing.select(_COLUMNS)])
    after = both.unique([*GROUP, "from_on"], keep="first").sort(*GROUP, "from_on")
    # Where any two share a day, two neighbours do.
    before = pl.col("to_on").shift(1).over(GROUP)
    groups = after.filter(pl.col("from_on") <= before).select(GROUP).unique()
    if groups.is_empty():
        return set()
    told = both.join(groups, on=GROUP, how="semi").partition_by(GROUP)
    return {line for group in told for line in _refused(_spans(group))}


def _spans(group: pl.DataFrame) -> list[_Span]:
    return [_Span(*row) for row in group.select("from_on", "to_on", "line").iter_rows()]


def _refused(spans: Sequence[_Span]) -> set[int]:
    """A row that is refused leaves its earlier version standing, which may refuse another."""
    refused: set[int] = set()
    while (more := _colliding(spans, refused)) is not None:
        refused.add(more)
    return refused


def _colliding(spans: Sequence[_Span], refused: set[int]) -> int | None:
    coming = sorted(
        (one for one in spans if one.line is not None and one.line not in refused), key=_line
    )
    replaced = {one.first for one in coming}
    taken = [one for one in spans if one.line is None and one.first not in replaced]
    for one in coming:
        if one.meets(taken):
            return one.line
        taken.append(one)
    return None


def _line(span: _Span) -> Any:
    return span.line
