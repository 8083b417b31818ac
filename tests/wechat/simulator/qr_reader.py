"""Reads a QR code (model 2, versions 1 to 5, level L) module by module, and checks it whole.

It takes the mask from the code, and looks whether the code words are a multiple of the generator
by evaluating them at its roots.
"""

from __future__ import annotations

CORRECTION = {1: 7, 2: 10, 3: 15, 4: 20, 5: 26}
MASKS = [
    lambda r, c: (r + c) % 2 == 0,
    lambda r, c: r % 2 == 0,
    lambda r, c: c % 3 == 0,
    lambda r, c: (r + c) % 3 == 0,
    lambda r, c: (r // 2 + c // 3) % 2 == 0,
    lambda r, c: r * c % 2 + r * c % 3 == 0,
    lambda r, c: (r * c % 2 + r * c % 3) % 2 == 0,
    lambda r, c: ((r + c) % 2 + r * c % 3) % 2 == 0,
]


def read(modules: list[list[bool]]) -> str:
    """The text; fails where anything is not as it should be."""
    size = len(modules)
    version = (size - 17) // 4
    assert size == 17 + 4 * version
    words = _words(modules, MASKS[_mask(modules)])
    for root in range(CORRECTION[version]):
        assert _value(words, _power(root)) == 0
    bits = "".join(f"{word:08b}" for word in words)
    assert bits[:4] == "0100"
    count = int(bits[4:12], 2)
    return int(bits[12 : 12 + 8 * count] or "0", 2).to_bytes(count, "big").decode()


def _mask(modules: list[list[bool]]) -> int:
    places = [(8, c) for c in (0, 1, 2, 3, 4, 5, 7, 8)] + [(r, 8) for r in (7, 5, 4, 3, 2, 1, 0)]
    size = len(modules)
    again = [(size - 1 - r, 8) for r in range(7)] + [(8, size - 8 + c) for c in range(8)]
    first, second = (
        int("".join("01"[modules[r][c]] for r, c in one), 2) for one in (places, again)
    )
    assert first == second
    said = first ^ 0b101010000010010
    rest = said
    for shift in range(4, -1, -1):
        if rest >> shift + 10 & 1:
            rest ^= 0b10100110111 << shift
    assert rest == 0
    assert said >> 13 == 0b01
    return said >> 10 & 0b111


def _words(modules: list[list[bool]], mask: object) -> bytes:
    size, bits = len(modules), ""
    column, upwards = size - 1, True
    while column > 0:
        column -= column == 6
        rows = range(size - 1, -1, -1) if upwards else range(size)
        for row in rows:
            for one in (column, column - 1):
                if not _reserved(row, one, size):
                    bits += "01"[modules[row][one] ^ mask(row, one)]  # type: ignore[operator]
        column, upwards = column - 2, not upwards
    return bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits) // 8 * 8, 8))


def _reserved(row: int, column: int, size: int) -> bool:
    corner = (row < 9 and (column < 9 or column >= size - 8)) or (row >= size - 8 and column < 9)
    middle = size > 21 and abs(row - size + 7) <= 2 and abs(column - size + 7) <= 2
    return corner or middle or 6 in (row, column)


def _value(words: bytes, at: int) -> int:
    total = 0
    for word in words:
        total = _times(total, at) ^ word
    return total


def _power(exponent: int) -> int:
    value = 1
    for _ in range(exponent):
        value = _times(value, 2)
    return value


def _times(one: int, other: int) -> int:
    product = 0
    while other:
        product ^= one if other & 1 else 0
        one = one << 1 ^ (0x11D if one & 0x80 else 0)
        other >>= 1
    return product
