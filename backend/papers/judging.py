"""辨认 (judging): what a file is, by what it begins with; its name and type count nothing."""

from __future__ import annotations

from typing import Final

from backend.papers.reasons import NotTaken

PDF: Final = "PDF"
HEIF: Final = "HEIF"
_HEIC: Final = (b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1")
_PACKED: Final = (
    b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    b"Rar!", b"7z\xbc\xaf\x27\x1c", b"\x1f\x8b", b"{\\rtf",
)  # fmt: skip
"""How archives and the files of offices begin."""


def judged(data: bytes) -> str:
    """Which decoder reads it, and no other shall: `JPEG`, `PNG`, `WEBP`, `HEIF`, `PDF`.

    Raises `NotTaken`.
    """
    if not data:
        raise NotTaken("empty")
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if data[4:8] == b"ftyp" and data[8:12] in _HEIC:
        return HEIF
    if data.startswith(b"%PDF-"):
        return PDF
    raise NotTaken("not_an_office_file" if data.startswith(_PACKED) else "not_a_paper")
