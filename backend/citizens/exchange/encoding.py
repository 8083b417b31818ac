"""编码 (encoding): whether a text file is UTF-8 or GB18030, found out before anything is taken."""

from __future__ import annotations

from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE, getincrementaldecoder
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from backend.citizens.exchange.source import refuse

CHUNK: Final = 1 << 20
LONGEST_LINE: Final = 1 << 20


def encoding_of(path: Path) -> str:
    """`utf-8-sig` (with or without BOM) or `gb18030`; the whole file is looked at.

    Raises `FileError` with the first line that is in neither.
    """
    with path.open("rb") as stream:
        start = stream.read(4)
    if not start:
        refuse(path, "文件是空的，请重新导出")
    if start.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        refuse(path, "文件是 UTF-16 编码，请另存为 UTF-8（“CSV UTF-8”）")
    if _decodes(path, "utf-8"):
        return "utf-8-sig"
    return _beside_utf_8(path, has_bom=start.startswith(BOM_UTF8))


def _decodes(path: Path, encoding: str) -> bool:
    decoder = getincrementaldecoder(encoding)()
    try:
        with path.open("rb") as stream:
            while block := stream.read(CHUNK):
                decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _beside_utf_8(path: Path, *, has_bom: bool) -> str:
    """GB18030, unless most lines with Chinese are good UTF-8: then some of them are damaged."""
    good, bad, first_bad = 0, 0, 0
    for number, line in _lines(path):
        if line.isascii():
            continue
        if _line_decodes(line, "utf-8"):
            good += 1
        else:
            bad += 1
            first_bad = first_bad or number
    if has_bom or good > bad:
        refuse(path, "这一行不是 UTF-8 编码，和其余各行不一样，请重新导出整个文件", first_bad)
    for number, line in _lines(path):
        if not _line_decodes(line, "gb18030"):
            reason = "这一行既不是 UTF-8 也不是 GB18030 编码，请另存为 UTF-8 再导入"
            refuse(path, reason, number)
    return "gb18030"


def _line_decodes(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    with path.open("rb") as stream:
        for number, line in enumerate(iter(lambda: stream.readline(LONGEST_LINE), b""), 1):
            if len(line) == LONGEST_LINE:
                refuse(path, "这一行太长，不像是 CSV 文件，请重新导出", number)
            yield number, line
