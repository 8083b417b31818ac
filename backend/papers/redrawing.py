"""重画照片 (redrawing): a picture decoded, turned upright, drawn anew and written as JPEG.

Nothing of the file but its colours arrives in the new one: no place, device, comment or trailer.
Runs in the cleaner's process alone.
"""

from __future__ import annotations

import io
import warnings
from typing import Final, NamedTuple

from PIL import Image, ImageOps

from backend.papers.judging import HEIF
from backend.papers.reasons import NotTaken

LONGEST_SIDE: Final = 3000
SHORTEST_SIDE: Final = 200
"""Pixels; nothing can be read in what is smaller."""
QUALITY: Final = 85
MOST_PIXELS: Final = 50_000_000
MOST_JPEG_PIXELS: Final = 120_000_000
"""A JPEG is decoded at a fraction of its size."""


class Drawn(NamedTuple):
    """A picture as a JPEG, and its size in pixels."""

    jpeg: bytes
    width: int
    height: int


def redrawn(data: bytes, decoder: str) -> bytes:
    """The picture as a JPEG of at most `LONGEST_SIDE`, read by this decoder. Raises `NotTaken`, and
    whatever the decoder does over a file that is none.
    """
    Image.MAX_IMAGE_PIXELS = None  # `_opened` looks itself
    warnings.simplefilter("ignore")
    picture = _opened(data, decoder)
    return as_jpeg(ImageOps.exif_transpose(picture), LONGEST_SIDE, QUALITY).jpeg


def as_jpeg(picture: Image.Image, longest: int, quality: int) -> Drawn:
    """The picture drawn onto white paper, and that as JPEG."""
    flat = _colours(picture)
    flat.thumbnail((longest, longest), Image.Resampling.LANCZOS, reducing_gap=2.0)
    paper = Image.new("RGB", flat.size, "white")
    paper.paste(flat, mask=flat.getchannel("A") if flat.mode == "RGBA" else None)
    written = io.BytesIO()
    paper.save(written, "JPEG", quality=quality)
    return Drawn(written.getvalue(), *paper.size)


def _opened(data: bytes, decoder: str) -> Image.Image:
    if decoder == HEIF:
        _read_heif()
    picture = Image.open(io.BytesIO(data), formats=[decoder])
    width, height = picture.size
    if width * height > (MOST_JPEG_PIXELS if decoder == "JPEG" else MOST_PIXELS):
        raise NotTaken("too_large")
    if min(width, height) < SHORTEST_SIDE:
        raise NotTaken("too_small")
    if decoder == "JPEG":
        picture.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
    picture.load()
    return picture


def _colours(picture: Image.Image) -> Image.Image:
    """With or without transparency, and nothing else."""
    if picture.mode in ("RGB", "RGBA"):
        return picture
    if picture.mode.startswith(("I", "F")):  # 16 bits and more: to eight
        picture = picture.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    transparent = "A" in picture.getbands() or "transparency" in picture.info
    return picture.convert("RGBA" if transparent else "RGB")


def _read_heif() -> None:
    import pillow_heif

    pillow_heif.register_heif_opener(thumbnails=False, decode_threads=1)
