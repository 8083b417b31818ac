"""运行图 (run chart): what a run changed, a bar a layer, as an SVG picture for a phone.

A bar is what stood before the run, of which a part may be taken back, and what the run added.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final
from xml.etree.ElementTree import Element, SubElement, tostring

from backend.estimation.axis import Axis
from backend.kernel import svg
from backend.kernel.money import format_yuan
from backend.matching.overview import LayerChange, RunOverview

WIDTH: Final = 3600
LEFT, ACROSS, TOP = 160, 3280, 1060
ROW, BAR, BAR_TOP = 1040, 300, 120
"""Of a row: its height, that of its bar, and where the bar begins below the words."""
BOTTOM: Final = 800
TITLE: Final = "这次运行前后的待遇金额"
NOTHING: Final = "还没有发放任何金额。"
LEAST: Final = 10_000
"""Fen: the shortest axis."""
SEEN: Final = 30
"""The least width at which an amount is seen at all."""

KEPT, MORE, LESS = "原有", "这次新增", "这次应退"
_FILLS: Final = {KEPT: "#56B4E9", MORE: "url(#run-more)", LESS: "url(#run-less)"}
_PATTERNS: Final = {
    "run-more": ("#0072B2", {"d": "M2,3 h3 M8,9 h3", "stroke": "#FFFFFF", "stroke-width": "3"}),
    "run-less": (
        "#D55E00",
        {"d": "M-3,3 L3,-3 M0,12 L12,0 M9,15 L15,9", "stroke": "#FFFFFF", "stroke-width": "1.6"},
    ),
}  # fmt: skip
"""Colours after Okabe and Ito, and patterns: told apart without colour too."""


def draw_run(found: RunOverview, names: Mapping[str, str]) -> str:
    """The picture as SVG text; the same run gives the same text. `names`: layer → Chinese name."""
    rows = [layer for layer in found.layers if layer.before or layer.more]
    return tostring(_Chart(rows, names).picture(), encoding="unicode")


class _Chart:
    def __init__(self, rows: Sequence[LayerChange], names: Mapping[str, str]) -> None:
        self.rows, self.names = rows, names
        most = max((row.before + row.more for row in rows), default=0)
        self.across = Axis(0, max(most, LEAST), ACROSS, room=80)
        self.bottom = TOP + ROW * len(rows) - 240

    def picture(self) -> Element:
        size = (WIDTH, self.bottom + (BOTTOM if self.rows else 0))
        root = svg.picture("run", size, TITLE, self._description())
        defs = SubElement(root, "defs")
        for name, (ground, path) in _PATTERNS.items():
            svg.pattern(defs, name, ground, path)
        SubElement(root, "rect", {"width": "100%", "height": "100%", "fill": svg.PAPER})
        svg.text(root, TITLE, LEFT, 300, size=19, weight="bold")
        if not self.rows:
            svg.text(root, NOTHING, LEFT, 640, size=16)
            return root
        self._legend(root)
        self._axis(root)
        for number, row in enumerate(self.rows):
            self._row(root, row, TOP + ROW * number)
        return root

    def _description(self) -> str:
        return "".join(f"{self.names[row.layer]}：{_words(row)}。" for row in self.rows) or NOTHING

    def _legend(self, root: Element) -> None:
        for name, x in zip(_FILLS, (LEFT, LEFT + 900, LEFT + 2120), strict=True):
            fill = _FILLS[name]
            svg.box(root, (x, 480), (260, 180), fill, stroke=svg.INK, stroke_width="1")
            svg.text(root, name, x + 340, 630, size=16)

    def _axis(self, root: Element) -> None:
        for fen, label in self.across.ticks():
            x = LEFT + self.across.at(fen)
            svg.line(root, (x, TOP - 200), (x, self.bottom + 60), "#C8C8C8", "1")
            at = min(x, WIDTH - 60 - len(label) * 45)
            svg.text(root, label, at, self.bottom + 230, anchor="middle")
        where = (LEFT + ACROSS // 2, self.bottom + 520)
        svg.text(root, f"金额（{self.across.unit}）", *where, size=16, anchor="middle")

    def _row(self, root: Element, row: LayerChange, top: int) -> None:
        svg.text(root, self.names[row.layer], LEFT, top, size=16, weight="bold", halo="4")
        total = f"{format_yuan(row.after)} 元"
        svg.text(root, total, LEFT + ACROSS, top, size=16, anchor="end", weight="bold", halo="4")
        for start, end, name in _pieces(row):
            x, until = LEFT + self.across.at(start), LEFT + self.across.at(end)
            place, size = (x, top + BAR_TOP), (max(until - x, SEEN), BAR)
            svg.box(root, place, size, _FILLS[name])
        svg.text(root, _changed(row), LEFT, top + BAR_TOP + BAR + 190, halo="4")


def _pieces(row: LayerChange) -> Iterator[tuple[int, int, str]]:
    """The parts of a bar from the left (fen), those that are there."""
    edges = (0, row.before + row.less, row.before, row.before + row.more)
    for name, start, end in zip((KEPT, LESS, MORE), edges, edges[1:], strict=False):
        if end > start:
            yield start, end, name


def _changed(row: LayerChange) -> str:
    said = [f"新增 {format_yuan(row.more)} 元"] if row.more else []
    said += [f"应退 {format_yuan(-row.less)} 元"] if row.less else []
    return "，".join(said) or "没有变化"


def _words(row: LayerChange) -> str:
    return f"原有 {format_yuan(row.before)} 元，{_changed(row)}，现在 {format_yuan(row.after)} 元"
