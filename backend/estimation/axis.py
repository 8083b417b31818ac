"""坐标轴 (axis): a range of money on a line of pixels, with ticks that people can read.

Pixels are tenths of a pixel in integers, so that the same numbers always draw the same picture.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from typing import Final

from backend.kernel.money import format_yuan, half_up

WAN: Final = 1_000_000
"""一万元 in fen."""


@dataclass(frozen=True)
class Axis:
    """Fen `low` to `high` (`low` < `high`) on `length` tenths of a pixel.

    `room`: tenths of a pixel that a label takes for each of its characters; 0 for labels that stand
    above each other.
    """

    low: int
    high: int
    length: int
    room: int = 0
    most: int = 6

    def at(self, fen: int) -> int:
        """The place of an amount within the range, from the start of the line."""
        return half_up((fen - self.low) * self.length, self.high - self.low)

    @property
    def unit(self) -> str:
        """万元 where every tick is a whole number of them, else 元."""
        return "万元" if self.step % WAN == 0 else "元"

    def ticks(self) -> Iterator[tuple[int, str]]:
        """The amounts at which the axis is labelled, with their labels."""
        for fen in _multiples(self.low, self.high, self.step):
            yield fen, _label(fen, self.step)

    @cached_property
    def step(self) -> int:
        """The distance of two ticks: 1, 2 or 5 times a power of ten."""
        return next(filter(self._fits, _round_amounts()))

    def _fits(self, step: int) -> bool:
        marks = _multiples(self.low, self.high, step)
        if len(marks) > self.most:
            return False
        widest = max((len(_label(fen, step)) for fen in marks), default=0)
        return len(marks) * (widest + 1) * self.room <= self.length


def _round_amounts() -> Iterator[int]:
    for power in count():
        yield from (10**power, 2 * 10**power, 5 * 10**power)


def _multiples(low: int, high: int, step: int) -> range:
    return range(-(-low // step) * step, high + 1, step)


def _label(fen: int, step: int) -> str:
    if step % WAN == 0:
        return str(fen // WAN)
    return format_yuan(fen).removesuffix(".00") if step % 100 == 0 else format_yuan(fen)
