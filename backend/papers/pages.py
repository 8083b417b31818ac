"""重画文件 (pages): each page of a PDF drawn as a picture, and the pictures bound to a new PDF.

What a PDF can do besides showing pages, scripts, attached files, actions, launching, forms, is not
in the new one: it is written here, a few lines a page. Runs in the cleaner's process alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pypdfium2
import pypdfium2.raw as pdfium

from backend.papers.reasons import MOST_PAGES, NotTaken
from backend.papers.redrawing import Drawn, as_jpeg

LONGEST_SIDE: Final = 1800
"""Pixels of a page: about 150 to the inch of A4."""
QUALITY: Final = 75
_A4: Final = 842
"""Points; the longer side of every new page."""
_LOCKED: Final = (pdfium.FPDF_ERR_PASSWORD, pdfium.FPDF_ERR_SECURITY)
_OPENED: Final = -1
"""The security handler of a PDF that has none."""


def pages_of(data: bytes) -> list[Drawn]:
    """The pages of a PDF as pictures. Raises `NotTaken`."""
    try:
        with pypdfium2.PdfDocument(data) as document:
            if pdfium.FPDF_GetSecurityHandlerRevision(document.raw) != _OPENED:
                raise NotTaken("locked")
            if not 0 < len(document) <= MOST_PAGES:
                raise NotTaken("too_many_pages" if len(document) else "unreadable")
            document.init_forms()  # without it nothing shows that was written into fields
            return [_drawn(document, number) for number in range(len(document))]
    except pypdfium2.PdfiumError as error:
        locked = getattr(error, "err_code", None) in _LOCKED
        raise NotTaken("locked" if locked else "unreadable") from error


def bound(pages: Sequence[Drawn]) -> bytes:
    """A PDF that shows the pictures, one a page; of the same pictures always the same bytes."""
    kids = " ".join(f"{3 + 3 * at} 0 R" for at in range(len(pages)))
    parts = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
    ]
    for at, page in enumerate(pages):
        parts += _parts(page, 3 + 3 * at)
    return _written(parts)


def _drawn(document: pypdfium2.PdfDocument, number: int) -> Drawn:
    page = document[number]
    longer = max(page.get_size())
    if not longer > 0:
        raise NotTaken("unreadable")
    bitmap = page.render(scale=LONGEST_SIDE / longer)
    picture = bitmap.to_pil()
    drawn = as_jpeg(picture, LONGEST_SIDE, QUALITY)
    bitmap.close()
    page.close()
    return drawn


def _parts(page: Drawn, first: int) -> list[bytes]:
    """The page, what draws it, and the picture: objects `first` to `first + 2`."""
    scale = _A4 / max(page.width, page.height)
    width, height = f"{page.width * scale:.2f}", f"{page.height * scale:.2f}"
    drawing = f"q {width} 0 0 {height} 0 0 cm /P Do Q".encode()
    return [
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {width} {height}]"
        f" /Resources << /XObject << /P {first + 2} 0 R >> >>"
        f" /Contents {first + 1} 0 R >>".encode(),
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(drawing), drawing),
        b"<< /Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /DeviceRGB"
        b" /BitsPerComponent 8 /Filter /DCTDecode /Length %d >>\nstream\n%b\nendstream"
        % (page.width, page.height, len(page.jpeg), page.jpeg),
    ]


def _written(parts: Sequence[bytes]) -> bytes:
    """The objects with their table, numbered from 1."""
    written = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    places = []
    for number, part in enumerate(parts, start=1):
        places.append(len(written))
        written += b"%d 0 obj\n%b\nendobj\n" % (number, part)
    table = len(written)
    written += b"xref\n0 %d\n0000000000 65535 f \n" % (len(parts) + 1)
    written += b"".join(b"%010d 00000 n \n" % place for place in places)
    written += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(parts) + 1, table,
    )  # fmt: skip
    return bytes(written)
