"""手写签名 (handwriting): a drawing as the phone sends it: the picture, and how it came about."""

from __future__ import annotations

import hashlib
import io
from dataclasses import asdict, dataclass, field
from typing import ClassVar, Final, NoReturn

from PIL import Image, ImageStat, UnidentifiedImageError

from backend.kernel.errors import DomainError, Fault
from backend.letters.content import canonical

MOST_BYTES: Final = 256 * 1024
MOST_POINTS: Final = 8_000
MOST_STROKES: Final = 200
LEAST_POINTS: Final = 8
LEAST_MS: Final = 300
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_SIDES: Final = (40, 4000)
_LEAST_INK: Final = 0.0005
"""Of the canvas: a dot is no name."""
_LEAST_SPAN: Final = 0.05
_AGAIN: Final = "请在空白处写下姓名，写大一点，再提交。"


class SignatureWrong(DomainError):
    """The drawing is none: empty, a dot, not a picture, or not as its strokes say."""

    code: ClassVar[str] = "signature-wrong"


@dataclass(frozen=True, slots=True)
class Point:
    """Where the finger was: in pixels of the canvas, after `t` ms, with what `pressure` (0 to
    1000; 0: the phone does not tell)."""

    x: int
    y: int
    t: int
    pressure: int = 0


@dataclass(frozen=True, slots=True)
class Drawing:
    """A signature. `width` and `height`: of the canvas; `attempts`: with those that were wiped."""

    png: bytes = field(repr=False)
    strokes: tuple[tuple[Point, ...], ...] = field(repr=False)
    width: int
    height: int
    attempts: int = 1

    @property
    def sha256(self) -> bytes:
        """Of the picture and how it came about."""
        return hashlib.sha256(canonical(self.told)).digest()

    @property
    def told(self) -> dict[str, object]:
        """As it stands in the evidence; the picture by its hash."""
        return {
            "png_sha256": hashlib.sha256(self.png).hexdigest(),
            "strokes": [[asdict(point) for point in stroke] for stroke in self.strokes],
            "width": self.width,
            "height": self.height,
            "attempts": self.attempts,
        }


def check_drawing(drawing: Drawing) -> None:
    """Raises `SignatureWrong` with what to do."""
    _check_strokes(drawing)
    _check_picture(drawing)


def _check_strokes(drawing: Drawing) -> None:
    points = [point for stroke in drawing.strokes for point in stroke]
    if not 1 <= len(drawing.strokes) <= MOST_STROKES or len(points) > MOST_POINTS:
        _refuse("/strokes", f"笔画太多或没有笔画：{_AGAIN}")
    inside = all(0 <= one.x <= drawing.width and 0 <= one.y <= drawing.height for one in points)
    times = [one.t for one in points]
    if not inside or times != sorted(times):
        _refuse("/strokes", "笔画和画布对不上：请更新小程序，再签一次。")
    if len(points) < LEAST_POINTS or times[-1] - times[0] < LEAST_MS:
        _refuse("/strokes", f"写得太少或太快，不像姓名：{_AGAIN}")
    across = max(one.x for one in points) - min(one.x for one in points)
    down = max(one.y for one in points) - min(one.y for one in points)
    if max(across / drawing.width, down / drawing.height) < _LEAST_SPAN:
        _refuse("/strokes", f"写得太小：{_AGAIN}")


def _check_picture(drawing: Drawing) -> None:
    if len(drawing.png) > MOST_BYTES or not drawing.png.startswith(_PNG):
        _refuse("/png", "签名图要是不超过 256 KB 的 PNG：请更新小程序，再签一次。")
    try:
        picture = Image.open(io.BytesIO(drawing.png), formats=["PNG"])
        if not all(_SIDES[0] <= side <= _SIDES[1] for side in picture.size):
            _refuse("/png", "签名图太大或太小：请更新小程序，再签一次。")
        ink = _ink(picture)
    except (OSError, SyntaxError, ValueError, UnidentifiedImageError) as error:
        told = "签名图坏了，读不出来：请再签一次。"
        raise SignatureWrong(Fault("/png", told)) from error
    if ink < _LEAST_INK:
        _refuse("/png", f"签名图是空白的：{_AGAIN}")


def _ink(picture: Image.Image) -> float:
    """How much of the picture is drawn over, 0 to 1."""
    drawn = picture.convert("RGBA")
    paper = Image.new("RGBA", drawn.size, "white")
    grey = Image.alpha_composite(paper, drawn).convert("L")
    return float(1 - ImageStat.Stat(grey).mean[0] / 255)


def _refuse(pointer: str, told: str) -> NoReturn:
    raise SignatureWrong(Fault(pointer, told))
