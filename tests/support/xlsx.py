"""A small writer of XLSX, to make what Excel makes of a cell: text, numbers, days, errors."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZipFile

Cell = str | int | float | bool | date | None

FORMULA_ERROR = "\0"
"""Written as an error of a formula."""

_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"


def write_xlsx(path: Path, rows: Sequence[Sequence[Cell]], *more_sheets: str) -> None:
    """The rows as the first sheet; `more_sheets`: names of further, empty sheets."""
    names = ["Sheet1", *more_sheets]
    with ZipFile(path, "w", ZIP_DEFLATED) as package:
        package.writestr("[Content_Types].xml", _content_types(len(names)))
        package.writestr("_rels/.rels", _relations({"rId1": ("officeDocument", "xl/workbook.xml")}))
        targets = {
            f"rId{at}": ("worksheet", f"worksheets/sheet{at}.xml")
            for at in range(1, len(names) + 1)
        }
        targets["rId99"] = ("styles", "styles.xml")
        package.writestr("xl/_rels/workbook.xml.rels", _relations(targets))
        package.writestr("xl/workbook.xml", _workbook(names))
        package.writestr("xl/styles.xml", _STYLES)
        package.writestr("xl/worksheets/sheet1.xml", _sheet(rows))
        for at in range(2, len(names) + 1):
            package.writestr(f"xl/worksheets/sheet{at}.xml", _sheet([]))


def _sheet(rows: Sequence[Sequence[Cell]]) -> str:
    lines = (
        f'<row r="{at}">{"".join(_cell(f"{_letters(place)}{at}", cell) for place, cell in enumerate(row))}</row>'
        for at, row in enumerate(rows, 1)
    )
    return f'<worksheet xmlns="{_MAIN}"><sheetData>{"".join(lines)}</sheetData></worksheet>'


def _cell(at: str, cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case bool():
            return f'<c r="{at}" t="b"><v>{int(cell)}</v></c>'
        case date():
            return f'<c r="{at}" s="1"><v>{(cell - date(1899, 12, 30)).days}</v></c>'
        case int() | float():
            return f'<c r="{at}"><v>{cell}</v></c>'
        case "\0":
            return f'<c r="{at}" t="e"><v>#N/A</v></c>'
    text = escape(cell, {"\r": "&#13;"})
    return f'<c r="{at}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'


def _letters(place: int) -> str:
    letters = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def _content_types(sheets: int) -> str:
    parts = [("/xl/workbook.xml", "sheet.main"), ("/xl/styles.xml", "styles")]
    parts += [(f"/xl/worksheets/sheet{at}.xml", "worksheet") for at in range(1, sheets + 1)]
    overrides = "".join(
        f'<Override PartName="{part}" ContentType="{_TYPES}.{kind}+xml"/>' for part, kind in parts
    )
    rels = f'<Default Extension="rels" ContentType="{_RELS}"/>'
    return f'<Types xmlns="{_PACKAGE}/content-types">{rels}{overrides}</Types>'


_RELS = "application/vnd.openxmlformats-package.relationships+xml"


def _relations(targets: dict[str, tuple[str, str]]) -> str:
    inner = "".join(
        f'<Relationship Id="{name}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for name, (kind, target) in targets.items()
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{inner}</Relationships>'


def _workbook(names: Sequence[str]) -> str:
    sheets = "".join(
        f'<sheet name="{name}" sheetId="{at}" r:id="rId{at}"/>' for at, name in enumerate(names, 1)
    )
    return f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{sheets}</sheets></workbook>'


_STYLES = (
    f'<styleSheet xmlns="{_MAIN}"><fonts count="1"><font/></fonts><fills count="1"><fill/></fills>'
    '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
    '<cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14" applyNumberFormat="1"/></cellXfs></styleSheet>'
)
