"""图 (chart): a cost curve as an SVG picture for a phone, 360 pixels wide.

What each layer pays and what is left are bands on top of each other, so that the upper edge is the
bill's total. Each band has a colour that colour-blind people tell apart, a pattern, and a line of
words below the picture. Nothing comes from elsewhere: no script, no font, no style sheet.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Final
from xml.etree.ElementTree import Element, SubElement, tostring

from backend.estimation.axis import WAN, Axis
from backend.estimation.estimate import OUT_OF_SCOPE
from backend.estimation.what_if import CostCurve, CurvePoint
from backend.kernel import svg
from backend.kernel.money import format_yuan, half_up
from backend.kernel.svg import INK
from backend.policies.book import Vocabulary

WIDTH: Final = 3600
LEFT, TOP, ACROSS, DOWN = 500, 880, 2920, 2400
"""The box of the bands; every length is in tenths of a pixel."""
LEGEND_TOP: Final = TOP + DOWN + 900
ROW: Final = 300
OWN: Final = "自己付"
TITLE: Final = "费用不同时，自己付多少"

OWN_COLOUR: Final = "#D55E00"
_COLOURS: Final = (
    ("#0072B2", "#FFFFFF"),
    ("#F0E442", "#5A5200"),
    ("#009E73", "#FFFFFF"),
    ("#CC79A7", "#4A1030"),
    ("#56B4E9", "#003A5C"),
    ("#555555", "#FFFFFF"),
)
"""Ground and pattern, after Okabe and Ito; the layer's place in the order of payment chooses."""
_PATTERNS: Final = ("", "M-3,3 L3,-3 M0,12 L12,0 M9,15 L15,9", "M2,3 h3 M8,9 h3",
                    "M-3,9 L3,15 M0,0 L12,12 M9,-3 L15,3", "M0,3 H12 M0,9 H12")  # fmt: skip
"""Plain, rising lines, dots, falling lines, level lines: drawn on squares of 12 pixels."""


@dataclass(frozen=True, slots=True)
class Band:
    """One payer: the code in ids, the name, the fill, and what it pays at each point (fen)."""

    code: str
    name: str
    place: int | None
    amounts: tuple[int, ...]
    now: int

    @property
    def fill(self) -> str:
        """A colour, or the layer's pattern."""
        if self.place is None:
            return OWN_COLOUR
        if not _PATTERNS[self.place % len(_PATTERNS)]:
            return _COLOURS[self.place % len(_COLOURS)][0]
        return f"url(#what-if-{self.code})"


def draw_cost_curve(curve: CostCurve, vocabulary: Vocabulary) -> str:
    """The picture as SVG text; the same curve gives the same text."""
    return tostring(_Chart(curve, vocabulary).picture(), encoding="unicode")


class _Chart:
    def __init__(self, curve: CostCurve, vocabulary: Vocabulary) -> None:
        self.curve = curve
        self.totals = [point.bill.total for point in curve.points]
        self.across = Axis(self.totals[0], self.totals[-1], ACROSS, room=80)
        self.up = Axis(0, self.totals[-1], DOWN)
        self.bands = tuple(_bands(curve, vocabulary))
        present = curve.present.bill.total
        shown = self.totals[0] <= present <= self.totals[-1]
        self.now = LEFT + self.across.at(present) if shown else -WIDTH
        """Where the marker stands; far outside where the picture does not reach the present."""

    def picture(self) -> Element:
        height = LEGEND_TOP + ROW * (len(self.bands) + 1) + 60
        root = svg.picture("what-if", (WIDTH, height), TITLE, self._description())
        self._patterns(SubElement(root, "defs"))
        SubElement(root, "rect", {"width": "100%", "height": "100%", "fill": "#FFFFFF"})
        svg.text(root, TITLE, 160, 300, size=19, weight="bold")
        self._axes(root)
        self._stack(root)
        self._marker(root)
        self._names(root)
        self._legend(root)
        return root

    def _description(self) -> str:
        parts = [f"{band.name} {format_yuan(band.now)} 元" for band in reversed(self.bands)]
        return f"{self.curve.summary}现在的各项：{'，'.join(parts)}。"

    def _patterns(self, defs: Element) -> None:
        for band in self.bands:
            if band.fill.startswith("url"):
                place = band.place or 0
                ground, ink = _COLOURS[place % len(_COLOURS)]
                lines = _PATTERNS[place % len(_PATTERNS)]
                width = "3" if "h" in lines else "1.6"
                path = {"d": lines, "stroke": ink, "stroke-width": width}
                svg.pattern(defs, f"what-if-{band.code}", ground, path)

    def _axes(self, root: Element) -> None:
        bottom = TOP + DOWN
        for fen, label in self.up.ticks():
            y = bottom - self.up.at(fen)
            svg.line(root, (LEFT, y), (LEFT + ACROSS, y), "#C8C8C8", "1")
            svg.text(root, label, LEFT - 60, y + 50, anchor="end")
        for fen, label in self.across.ticks():
            x = LEFT + self.across.at(fen)
            svg.line(root, (x, bottom), (x, bottom + 60), INK, "1.5")
            svg.text(
                root, label, min(x, WIDTH - 40 - len(label) * 45), bottom + 230, anchor="middle"
            )
        svg.text(root, self.up.unit, LEFT - 60, TOP - 130, anchor="end")
        name = f"这张单的总费用（{self.across.unit}）"
        svg.text(root, name, LEFT + ACROSS // 2, bottom + 480, size=16, anchor="middle")

    def _stack(self, root: Element) -> None:
        below = [0] * len(self.totals)
        for band, above in zip(self.bands, self.edges, strict=True):
            forth = [self._point(n, fen) for n, fen in enumerate(above)]
            back = [self._point(n, fen) for n, fen in reversed(list(enumerate(below)))]
            points = " ".join(f"{svg.px(x)},{svg.px(y)}" for x, y in (*forth, *back))
            SubElement(root, "polygon", {
                "points": points, "fill": band.fill, "stroke": "#FFFFFF", "stroke-width": "1.2",
                "stroke-linejoin": "round",
            })  # fmt: skip
            below = above
        bottom = TOP + DOWN
        svg.line(root, (LEFT, bottom), (LEFT + ACROSS, bottom), INK, "2")

    @cached_property
    def edges(self) -> list[list[int]]:
        """The upper edge of each band at each point (fen)."""
        points = zip(*(band.amounts for band in self.bands), strict=True)
        return [list(edge) for edge in zip(*map(accumulate, points), strict=True)]

    def _point(self, number: int, fen: int) -> tuple[int, int]:
        return LEFT + self.across.at(self.totals[number]), TOP + DOWN - self.up.at(fen)

    def _names(self, root: Element) -> None:
        """Each band that is thick enough carries its name; the person's is named in the free corner
        above the bands, where there is one."""
        corner = self._corner(root)
        below = [0] * len(self.totals)
        for band, above in zip(self.bands, self.edges, strict=True):
            place = self._widest(len(band.name) * 80 + 80, below, above)
            if place is not None and not (corner and band.place is None):
                x, y = place
                svg.text(root, band.name, x, y + 60, size=16, anchor="middle", halo="4")
            below = above

    def _corner(self, root: Element) -> bool:
        # Left of the middle, where the present cost usually stands.
        at = len(self.totals) * 2 // 5
        burden, total = self.bands[-1].amounts[at], self.totals[at]
        x, upper = self._point(at, total)
        if upper < TOP + 700 or self.up.at(burden) < 20:
            return False
        _, lower = self._point(at, total - burden)
        svg.text(root, OWN, LEFT + 160, TOP + 260, size=18, weight="bold", fill="#A34700", halo="4")
        end = (x, (upper + lower) // 2)
        svg.line(root, (LEFT + 580, TOP + 290), end, INK, "1.5")
        svg.dot(root, end, 35)
        return True

    def _widest(self, half: int, below: list[int], above: list[int]) -> tuple[int, int] | None:
        """Where in a band a line of text, `half` to each side, has most room; None: nowhere."""
        best, found = 220, None
        xs = [self._point(n, 0)[0] for n in range(len(self.totals))]
        for centre in xs:
            if not xs[0] + half <= centre <= xs[-1] - half or abs(self.now - centre) <= half:
                continue
            within = [n for n, x in enumerate(xs) if abs(x - centre) <= half]
            floor = min(self._point(n, below[n])[1] for n in within)
            ceiling = max(self._point(n, above[n])[1] for n in within)
            if floor - ceiling > best:
                best, found = floor - ceiling, (centre, (floor + ceiling) // 2)
        return found

    def _marker(self, root: Element) -> None:
        """A line at the bill's present cost."""
        x, total = self.now, self.curve.present.bill.total
        if x < 0:
            return
        svg.line(root, (x, TOP - 90), (x, TOP + DOWN), "#FFFFFF", "4")
        svg.line(root, (x, TOP - 90), (x, TOP + DOWN), INK, "2", "5 4")
        anchor = "start" if x < LEFT + 700 else "end" if x > LEFT + ACROSS - 700 else "middle"
        svg.text(root, f"现在 {_short(total)}", x, TOP - 150, size=16, anchor=anchor, weight="bold")

    def _legend(self, root: Element) -> None:
        total = self.curve.present.bill.total
        heading = f"现在总费用 {format_yuan(total)} 元，其中："
        svg.text(root, heading, 160, LEGEND_TOP, size=16)
        for number, band in enumerate(reversed(self.bands), 1):
            y = LEGEND_TOP + ROW * number
            weight = "bold" if band.place is None else "normal"
            look = {"stroke": INK, "stroke_width": "1"}
            svg.box(root, (160, y - 150), (260, 180), band.fill, **look)
            svg.text(root, band.name, 520, y, size=16, weight=weight)
            amount = f"{format_yuan(band.now)} 元"
            svg.text(root, amount, WIDTH - 160, y, size=16, anchor="end", weight=weight)


def _bands(curve: CostCurve, vocabulary: Vocabulary) -> Iterator[Band]:
    """From the bottom: the layers that pay anywhere, then the person."""
    order = (*vocabulary.layers, OUT_OF_SCOPE)
    names: Mapping[str, str] = {**vocabulary.layers, OUT_OF_SCOPE: "范围外费用的支付"}
    for layer in curve.layers:
        amounts = tuple(point.outcome.payments[layer] for point in curve.points)
        now = curve.present.outcome.payments[layer]
        if now or any(amounts):
            yield Band(layer, names[layer], order.index(layer), amounts, now)
    own = tuple(map(_burden, curve.points))
    yield Band("own", OWN, None, own, _burden(curve.present))


def _burden(point: CurvePoint) -> int:
    return point.outcome.personal_burden


def _short(fen: int) -> str:
    """An amount for a label: 15.2 万元, 8000 元."""
    if fen < WAN:
        return f"{format_yuan(fen).removesuffix('.00')} 元"
    wan = format_yuan(half_up(fen, WAN // 100)).rstrip("0").rstrip(".")
    return f"{wan} 万元"
