"""核对项 (checks): what must hold of every link of the audit chain; each says where it does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, TypeAlias

from backend.kernel.audit_anchors import Anchor
from backend.kernel.audit_chain import START, Link, digest
from backend.kernel.clock import CHINA

TOLERANCE_US: Final = 60_000_000
"""Statements end within half of it, and a sealer's look is younger: honest rows differ by less."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What does not hold. `kind`: which check; `position`: in the chain, 0 for none."""

    kind: str
    position: int
    says: str


@dataclass(slots=True)
class Walk:
    """What the links so far come to. Moments are microseconds since 1970.

    `anchors`: those of one file, in its order; `anchor`: the next of them; `strays`: those that
    did not come in the order of the positions.
    """

    position: int = 0
    hash: bytes = START
    sealed_at: int = 0
    closed: int = 0
    closed_at: int = 0
    events: int = 0
    anchors: list[Anchored] = field(default_factory=list)

    def past(self, link: Link) -> None:
        """Take the link as it stands, so that each fault is found where it is."""
        self.position = link.position
        self.hash = bytes(link.hash or b"")
        self.sealed_at = link.sealed_at or self.sealed_at
        self.events += link.event is not None
        if link.closed is not None and link.closed > self.closed:
            self.closed, self.closed_at = link.closed, self.sealed_at


class Anchored:
    """The genuine anchors of one file beside the walk."""

    def __init__(self, anchors: Iterator[Anchor]) -> None:
        self._coming = anchors
        self.next = next(anchors, None)
        self.strays: list[Anchor] = []
        self.met = 0

    def at(self, position: int) -> Iterator[Anchor]:
        """The anchors of a position; those that come too late in the file are kept for the end."""
        while self.next is not None and self.next.position <= position:
            if self.next.position == position:
                self.met += 1
                yield self.next
            else:
                self.strays.append(self.next)
            self.next = next(self._coming, None)

    def rest(self) -> Iterator[Anchor]:
        """Those beyond the end of the chain."""
        while self.next is not None:
            yield self.next
            self.next = next(self._coming, None)


Check: TypeAlias = Callable[[Walk, Link], "Finding | None"]


def in_sequence(walk: Walk, link: Link) -> Finding | None:
    """Positions follow one another."""
    if link.position == walk.position + 1:
        return None
    says = f"第 {walk.position} 位之后接的是第 {link.position} 位：中间有链环被删除，或位次被改。"
    return Finding("sequence", link.position, says)


def present(walk: Walk, link: Link) -> Finding | None:
    """The event of the link is there."""
    if link.event_id is None or link.event is not None:
        return None
    return Finding(
        "deleted", link.position, f"第 {link.position} 位：事件 {link.event_id} 被删除。"
    )


def unchanged(walk: Walk, link: Link) -> Finding | None:
    """The hash is that of the event, the link and all before it."""
    missing = link.event_id is not None and link.event is None
    if missing or digest(walk.hash, link) == link.hash:
        return None
    what = "链环" if link.event_id is None else f"事件 {link.event_id}"
    says = f"第 {link.position} 位：{what} 的内容、次序或校验值被改动。"
    return Finding("changed", link.position, says)


def in_time(walk: Walk, link: Link) -> Finding | None:
    """No event comes after the closing of its id."""
    if link.event_id is None or link.event_id > walk.closed:
        return None
    says = f"第 {link.position} 位：事件 {link.event_id} 是事后插入的，它的编号早已结清。"
    return Finding("inserted", link.position, says)


def clock_forward(walk: Walk, link: Link) -> Finding | None:
    """The moments of sealing never go back."""
    if link.sealed_at is not None and link.sealed_at >= walk.sealed_at - TOLERANCE_US:
        return None
    says = (
        f"第 {link.position} 位：封存时间从 {moment(walk.sealed_at)} 退到"
        f" {moment(link.sealed_at)}。数据库的时钟被拨回，请查明是谁、为什么。"
    )
    return Finding("clock", link.position, says)


def of_its_time(walk: Walk, link: Link) -> Finding | None:
    """An event says that it was written when its id was drawn: after the last closing, and before
    it was sealed."""
    if link.event is None or link.sealed_at is None:
        return None
    at = link.event[1]
    earliest, latest = walk.closed_at - TOLERANCE_US, link.sealed_at + TOLERANCE_US
    if at is not None and earliest <= at <= latest:
        return None
    says = (
        f"第 {link.position} 位：事件 {link.event_id} 写的时间是 {moment(at)}，"
        f"应当在 {moment(earliest)} 与 {moment(latest)} 之间：时钟被拨动，或时间是假的。"
    )
    return Finding("time", link.position, says)


def anchored(walk: Walk, link: Link) -> Finding | None:
    """The hash is the one that was written down outside the database."""
    wrong = False
    for of_file in walk.anchors:
        for anchor in of_file.at(link.position):
            wrong = wrong or anchor.hash != link.hash.hex()
    if not wrong:
        return None
    says = f"第 {link.position} 位：与库外锚点不符，这一位或之前的内容连同链一起被改写。"
    return Finding("rewritten", link.position, says)


CHECKS: Final[tuple[Check, ...]] = (
    in_sequence, present, unchanged, in_time, clock_forward, of_its_time, anchored,
)  # fmt: skip


def moment(microseconds: int | None) -> str:
    """In China's time, to the second."""
    if microseconds is None:
        return "（无效）"
    return f"{datetime.fromtimestamp(microseconds / 1e6, UTC).astimezone(CHINA):%Y-%m-%d %H:%M:%S}"
