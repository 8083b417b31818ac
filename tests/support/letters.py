"""Letters of invented people, whole and ready to print."""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path
from typing import Any, Final

from asn1crypto import x509
from cryptography.hazmat.primitives import serialization
from PIL import Image, ImageDraw

from backend.kernel import clock
from backend.letters.content import Expected, LetterContent, PaperNamed, Said, address_of
from backend.letters.rendering import render
from backend.letters.seal_keys import SealFiles, SealKeys, open_or_create
from backend.letters.sealing import OwnSeal
from backend.letters.signing_provider import ToSeal

CODE: Final = "23456789ABCDEFGH"
DAY: Final = date(2026, 11, 23)


def content(**more: Any) -> LetterContent:
    """A letter of the household's economy; `more`: what is different."""
    values: dict[str, Any] = {
        "template": "household_economy",
        "version": 1,
        "code": CODE,
        "url": address_of("https://shukun.example", more.get("code", CODE)),
        "day": DAY,
        "applicant": "𠮷䶮㛃",
        "number": "320281********1234",
        "area": "江阴市",
        "kind": "支出型困难家庭认定",
        "answers": (Said("家里几口人", "3 人"), Said("每月收入", "2,400.00 元")),
        "papers": (PaperNamed("户口簿", "ab" * 32),),
        "expected": Expected("12,345.60 元", ("先由医保报销。", "剩下的按七成救助。")),
    }
    return LetterContent(**values | more)


def drawing(width: int = 800, height: int = 260, **more: Any) -> bytes:
    """A signature as a phone draws it: a PNG, transparent, with a line in it."""
    picture = Image.new(more.get("mode", "RGBA"), (width, height))
    pen = ImageDraw.Draw(picture)
    line = [(width * x // 16, height * y // 26) for x, y in ((1, 20), (4, 4), (7, 22), (12, 6))]
    pen.line(line, fill="black", width=8, joint="curve")
    written = io.BytesIO()
    picture.save(written, "PNG")
    return written.getvalue()


def seal_keys(folder: Path) -> SealKeys:
    """An authority of a test's own."""
    return open_or_create(SealFiles(folder / "seal"), clock.now())


def trusted(keys: SealKeys) -> list[x509.Certificate]:
    """What a check of its seals trusts."""
    return [x509.Certificate.load(keys.root.public_bytes(serialization.Encoding.DER))]


def sealed_letter(keys: SealKeys, **more: Any) -> bytes:
    """A letter, signed and sealed; the PDF."""
    shown = render(content(**more)).pdf
    return OwnSeal(keys, clock.now).seal(ToSeal(shown, drawing(), b"\x01" * 32, b"\x02" * 32)).pdf
