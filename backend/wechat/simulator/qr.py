"""二维码 (QR code): a short text as a picture that phones read.

Model 2, error correction L, versions 1 to 5 (one block each), mask 0; ISO/IEC 18004.
"""

from __future__ import annotations

import struct
import zlib
from typing import Final

LONGEST: Final = 106
"""Bytes."""
_VERSIONS: Final = ((19, 7), (34, 10), (55, 15), (80, 20), (108, 26))
"""Bytes of data and of correction."""
_FORMAT: Final = 0b111011111000100
"""Level L, mask 0, as it is written beside the corners."""
_QUIET: Final = 4
_PAD: Final = b"\xec\x11"

Matrix = list[list[bool]]
"""Rows of modules; True is dark."""


def matrix(text: str) -> Matrix:
    """The modules of a text of at most 106 bytes. Raises `ValueError` for a longer one."""
    content = text.encode()
    for version, (data, correction) in enumerate(_VERSIONS, 1):
        if len(content) + 2 <= data:
            words = _padded(content, data)
            return _drawn(version, words + _correction(words, correction))
    raise ValueError("too long for a small QR code")


def png(modules: Matrix, width: int) -> bytes:
    """A picture of so many pixels a side, white around."""
    side = len(modules) + 2 * _QUIET
    empty = [False] * side
    edge = [False] * _QUIET
    shown = [empty] * _QUIET + [edge + row + edge for row in modules] + [empty] * _QUIET
    lines = [bytes(0 if row[x * side // width] else 255 for x in range(width)) for row in shown]
    rows = b"".join(b"\0" + lines[y * side // width] for y in range(width))
    head = struct.pack(">IIBBBBB", width, width, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, content) for kind, content in chunks)


def _padded(content: bytes, length: int) -> bytes:
    """Mode (4 bits), count (8), the bytes, the end; filled up."""
    bits = f"0100{len(content):08b}{int.from_bytes(content, 'big'):0{8 * len(content)}b}"
    bits = bits if content else bits[:12]
    words = int(f"{bits}0000", 2).to_bytes(len(content) + 2, "big")
    return words + (_PAD * length)[: length - len(words)]


def _correction(words: bytes, count: int) -> bytes:
    """The remainder of Reed and Solomon."""
    powers = _powers()
    logs = {value: power for power, value in enumerate(powers)}
    generator = [1]
    for root in range(count):
        longer = [*generator, 0]
        for place, factor in enumerate(generator):
            longer[place + 1] ^= powers[(logs[factor] + root) % 255] if factor else 0
        generator = longer
    rest = [*words, *bytes(count)]
    for place in range(len(words)):
        if lead := rest[place]:
            for step, factor in enumerate(generator):
                rest[place + step] ^= powers[(logs[factor] + logs[lead]) % 255] if factor else 0
    return bytes(rest[len(words) :])


def _powers() -> list[int]:
    """The powers of 2 in the field of 256."""
    powers = [1]
    for _ in range(254):
        doubled = powers[-1] << 1
        powers.append(doubled ^ 0x11D if doubled & 0x100 else doubled)
    return powers


def _drawn(version: int, words: bytes) -> Matrix:
    fixed = _patterns(version)
    size = 17 + 4 * version
    bits = iter(f"{int.from_bytes(words, 'big'):0{8 * len(words)}b}")
    modules = [[fixed.get((row, column), False) for column in range(size)] for row in range(size)]
    for row, column in _path(size):
        if (row, column) not in fixed:
            modules[row][column] = (next(bits, "0") == "1") ^ ((row + column) % 2 == 0)
    return modules


def _path(size: int) -> list[tuple[int, int]]:
    """Two columns at a time from the right, up and down; column 6 is not among them."""
    places: list[tuple[int, int]] = []
    rights = [column if column > 6 else column - 1 for column in range(size - 1, 0, -2)]
    for turn, right in enumerate(rights):
        rows = range(size) if turn % 2 else range(size - 1, -1, -1)
        places.extend((row, column) for row in rows for column in (right, right - 1))
    return places


def _patterns(version: int) -> dict[tuple[int, int], bool]:
    """What stands in every code of a version, and beside the corners how it is to be read."""
    size = 17 + 4 * version
    fixed = {(6, one): one % 2 == 0 for one in range(size)}
    fixed |= {(one, 6): one % 2 == 0 for one in range(size)}
    if version > 1:
        fixed |= _square(size - 7, size - 7, 2, size)
    for row, column in ((3, 3), (3, size - 4), (size - 4, 3)):
        fixed |= _square(row, column, 4, size)
    at_once = [*((row, 8) for row in range(6)), (7, 8), (8, 8), (8, 7)]
    at_once += [(8, column) for column in range(5, -1, -1)]
    again = [(8, size - 1 - bit) for bit in range(8)]
    again += [(size - 15 + bit, 8) for bit in range(8, 15)]
    for places in (at_once, again):
        fixed |= {place: bool(_FORMAT >> bit & 1) for bit, place in enumerate(places)}
    return fixed | {(size - 8, 8): True}


def _square(row: int, column: int, radius: int, size: int) -> dict[tuple[int, int], bool]:
    """Rings around a middle, dark and light in turn; 4: a corner with its white edge."""
    light = (2, 4) if radius == 4 else (1,)
    return {
        (y, x): max(abs(y - row), abs(x - column)) not in light
        for y in range(max(row - radius, 0), min(row + radius, size - 1) + 1)
        for x in range(max(column - radius, 0), min(column + radius, size - 1) + 1)
    }


def _chunk(kind: bytes, content: bytes) -> bytes:
    check = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)
