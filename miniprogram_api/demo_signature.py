"""演示签名 (demo signature): a name drawn by nobody, as the mini-program would send it.

`python -m miniprogram_api.demo_signature`: reads a letter as the site answered it, and prints the
body that signs it.
"""

from __future__ import annotations

import base64
import io
import json
import sys
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

from PIL import Image, ImageDraw

WIDTH, HEIGHT = 800, 260
_MS: Final = 30
_PEN: Final = 8
_LINES: Final = (
    ((90, 60), (330, 60)), ((210, 30), (210, 220)), ((210, 90), (100, 200)),
    ((210, 90), (330, 200)),
    ((450, 70), (680, 70)), ((560, 70), (560, 180)), ((470, 180), (680, 180)),
)  # fmt: skip
"""The strokes of a sign or two, each from where to where."""
_STEPS: Final = 8
Stroke = Sequence[tuple[int, int, int]]


def signature(letter: Mapping[str, Any]) -> Mapping[str, Any]:
    """The body of a signature of this letter."""
    drawn = _strokes()
    lines = (" ".join(f"{x},{y},{t},500" for x, y, t in stroke) for stroke in drawn)
    return {
        "png": base64.b64encode(_picture(drawn)).decode(), "strokes": ";".join(lines),
        "width": WIDTH, "height": HEIGHT,
        "shown_sha256": letter["sha256"], "nonce": letter["nonce"],
    }  # fmt: skip


def _strokes() -> Sequence[Stroke]:
    """x, y, and the milliseconds since the first touch, of each point."""
    return [
        [
            (
                x + (to_x - x) * step // _STEPS,
                y + (to_y - y) * step // _STEPS,
                (number * (_STEPS + 2) + step) * _MS,
            )
            for step in range(_STEPS + 1)
        ]
        for number, ((x, y), (to_x, to_y)) in enumerate(_LINES)
    ]


def _picture(strokes: Sequence[Stroke]) -> bytes:
    picture = Image.new("RGBA", (WIDTH, HEIGHT))
    pen = ImageDraw.Draw(picture)
    for stroke in strokes:
        for (x, y, _), (to_x, to_y, _) in pairwise(stroke):
            pen.line(((x, y), (to_x, to_y)), fill="black", width=_PEN)
    written = io.BytesIO()
    picture.save(written, "PNG")
    return written.getvalue()


if __name__ == "__main__":
    sys.stdout.write(json.dumps(signature(json.load(sys.stdin))))
