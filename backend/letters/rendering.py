"""排版 (rendering): a letter as PDF/A, the same bytes each time, with its font inside."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any, ClassVar, Final

import msgspec
import pypdfium2
import typst

from backend.kernel.clock import CHINA
from backend.kernel.errors import DomainError, Fault
from backend.letters import fonts
from backend.letters.content import LetterContent, Size
from backend.letters.layout import Layout, as_data, layout_of
from backend.letters.wording import FOLDER

STANDARD: Final = "a-2b"
_local: Final = threading.local()
"""A compiler a thread: one is not safe for several."""


class LetterUnprintable(DomainError):
    """The letter could not be drawn."""

    code: ClassVar[str] = "letter-unprintable"


@dataclass(frozen=True, slots=True)
class Rendered:
    """A letter as it is signed. `sha256`: of the PDF; `text`: all that stands in it."""

    pdf: bytes
    sha256: bytes
    pages: int
    text: str
    aloud: tuple[str, ...]


def render(content: LetterContent, size: Size = "normal") -> Rendered:
    """The letter on paper, in normal or large letters. Raises `LetterUnprintable`, `KeyError`."""
    layout = layout_of(content)
    pdf = _drawn(layout, content, size)
    return Rendered(pdf, hashlib.sha256(pdf).digest(), pages_of(pdf), layout.text, layout.aloud)


def pages_of(pdf: bytes) -> int:
    """How many pages a PDF of ours has."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        return len(document)
    finally:
        document.close()


def _drawn(layout: Layout, content: LetterContent, size: Size) -> bytes:
    data = msgspec.json.encode(as_data(layout, content.url)).decode()
    made_at = datetime.combine(content.day, time(), CHINA)
    try:
        drawn: bytes = _compiler().compile(
            sys_inputs={"letter": data, "size": size}, format="pdf",
            pdf_standards=STANDARD, timestamp=int(made_at.timestamp()),
        )  # fmt: skip
    except typst.TypstError as error:
        told = "这份文书排不出来：请把特别少见的字或符号改成常用的，再试一次；不行的，到柜台办理。"
        raise LetterUnprintable(Fault("/letter", told)) from error
    return drawn


def _compiler() -> Any:
    if not hasattr(_local, "compiler"):
        _local.compiler = typst.Compiler(
            str(FOLDER / "letter.typ"), root=str(FOLDER), font_paths=[str(fonts.folder())],
            ignore_system_fonts=True,
        )  # fmt: skip
    return _local.compiler
