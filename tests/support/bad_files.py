"""Files that nobody should hand in, made on the spot: bombs, polyglots, scripts, secrets.

`MARK` stands in everything that must not arrive in what is kept.
"""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import pillow_heif
from PIL import Image
from PIL.PngImagePlugin import PngInfo

MARK: Final = b"MARK-OF-AN-ATTACK"
EICAR: Final = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
GPS: Final = {1: "N", 2: (31.0, 54.0, 28.5), 3: "E", 4: (120.0, 16.0, 59.25)}
PNG: Final = b"\x89PNG\r\n\x1a\n"
Made = Callable[[], bytes]


def _exif() -> Image.Exif:
    exif = Image.Exif()
    exif[0x010F] = MARK.decode()
    exif.get_ifd(0x8825).update(GPS)
    return exif


def picture(size: tuple[int, int] = (600, 400)) -> Image.Image:
    return Image.linear_gradient("L").resize(size).convert("RGB")


def saved(form: str, size: tuple[int, int] = (600, 400), **more: Any) -> bytes:
    written = io.BytesIO()
    picture(size).save(written, form, **more)
    return written.getvalue()


def heic(**more: Any) -> bytes:
    pillow_heif.register_heif_opener()
    return saved("HEIF", **more)


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(
    width: int, height: int, data: bytes, *more: bytes, bits: int = 1, colour: int = 0
) -> bytes:
    """A PNG of these compressed rows; `more`: chunks before them."""
    head = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    return b"".join([PNG, chunk(b"IHDR", head), *more, chunk(b"IDAT", data), chunk(b"IEND", b"")])


def zeros(count: int) -> bytes:
    """So many zeros, compressed without ever being there."""
    packer, block = zlib.compressobj(9), bytes(1 << 20)
    parts = [packer.compress(block) for _ in range(count >> 20)]
    return b"".join([*parts, packer.compress(bytes(count % (1 << 20))), packer.flush()])


def bilevel_bomb() -> bytes:
    """50,000 x 50,000 points in 300 KB."""
    return png(50_000, 50_000, zeros(50_000 * 6_251))


def archive(*names: str, data: bytes = MARK, comment: bytes = b"") -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as file:
        for name in names:
            file.writestr(name, data)
        file.comment = comment
    return written.getvalue()


def zip_bomb() -> bytes:
    return archive("zeros", data=bytes(30_000_000))


def tar() -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as file:
        file.addfile(tarfile.TarInfo("../../etc/passwd"))
    return written.getvalue()


# -- PDF -------------------------------------------------------------------------------------------

DRAWING: Final = b"0.2 0.4 0.6 rg 20 20 200 300 re f"


def stream(data: bytes, entries: bytes = b"") -> bytes:
    return b"<< %b /Length %d >>\nstream\n%b\nendstream" % (entries, len(data), data)


def pdf(catalog: bytes = b"", page: bytes = b"", more: Sequence[bytes] = (), **other: Any) -> bytes:
    """A PDF of `pages` equal pages. `more`: objects from number 5 on."""
    count = other.get("pages", 1)
    drawing = other.get("drawing", stream(DRAWING))
    box = other.get("box", b"[0 0 300 400]")
    kids = b" ".join([b"3 0 R"] * count)
    parts = [
        b"<< /Type /Catalog /Pages 2 0 R %b >>" % catalog,
        b"<< /Type /Pages /Kids [%b] /Count %d >>" % (kids, count),
        b"<< /Type /Page /Parent 2 0 R /MediaBox %b /Contents 4 0 R %b >>" % (box, page),
        drawing,
        *more,
    ]
    return _bound(parts, other.get("trailer", b""))


def _bound(parts: Sequence[bytes], trailer: bytes) -> bytes:
    written, places = bytearray(b"%PDF-1.7\n"), []
    for number, part in enumerate(parts, start=1):
        places.append(len(written))
        written += b"%d 0 obj\n%b\nendobj\n" % (number, part)
    table = len(written)
    written += b"xref\n0 %d\n0000000000 65535 f \n" % (len(parts) + 1)
    written += b"".join(b"%010d 00000 n \n" % place for place in places)
    written += b"trailer\n<< /Size %d /Root 1 0 R %b >>\n" % (len(parts) + 1, trailer)
    return bytes(written) + b"startxref\n%d\n%%%%EOF\n" % table


def script(verb: bytes = b"/JavaScript /JS") -> bytes:
    return b"<< /S %b (app.alert\\('%b'\\)) >>" % (verb, MARK)


def locked(password: bytes = b"") -> bytes:
    """A PDF under a password; with the empty one only what may be done is limited."""
    pad = bytes.fromhex("28bf4e5e4e758a4164004e56fffa01082e2e00b6d0683e802f0ca9fe6453697a")
    owner, mark = hashlib.sha256(MARK).digest(), MARK[:16].ljust(16, b"x")
    said = (password + pad)[:32] + owner + struct.pack("<i", -44) + mark
    key = hashlib.md5(said).digest()[:5]
    user = _rc4(key, pad)
    ids = b"/ID [<%b> <%b>]" % (mark.hex().encode(), mark.hex().encode())
    handler = b"<< /Filter /Standard /V 1 /R 2 /P -44 /O <%b> /U <%b> >>" % (
        owner.hex().encode(), user.hex().encode(),
    )  # fmt: skip
    return pdf(more=[handler], trailer=b"/Encrypt 5 0 R " + ids)


def _rc4(key: bytes, data: bytes) -> bytes:
    box, at = list(range(256)), 0
    for one in range(256):
        at = (at + box[one] + key[one % len(key)]) % 256
        box[one], box[at] = box[at], box[one]
    out, one, at = bytearray(), 0, 0
    for byte in data:
        one = (one + 1) % 256
        at = (at + box[one]) % 256
        box[one], box[at] = box[at], box[one]
        out.append(byte ^ box[(box[one] + box[at]) % 256])
    return bytes(out)


def attached() -> bytes:
    names = b"/Names << /EmbeddedFiles << /Names [(evil.exe) 5 0 R] >> >>"
    spec = b"<< /Type /Filespec /F (../../evil.exe) /EF << /F 6 0 R >> >>"
    return pdf(names, more=[spec, stream(MARK, b"/Type /EmbeddedFile")])


def form(fields: bytes) -> bytes:
    field = b"<< /Type /Annot /Subtype /Widget /FT /Tx /T (%b) /Rect [20 20 90 90] %b >>"
    return pdf(b"/AcroForm << /Fields [5 0 R] >>", b"/Annots [5 0 R]", [field % (MARK, fields)])


def link(action: bytes) -> bytes:
    return pdf(
        page=b"/Annots [<< /Type /Annot /Subtype /Link /Rect [0 0 300 400] /A %b >>]" % action
    )


def drawn_picture(entries: bytes, data: bytes) -> bytes:
    picture_ = stream(data, b"/Type /XObject /Subtype /Image " + entries)
    resources = b"/Resources << /XObject << /P 5 0 R >> >>"
    return pdf(page=resources, more=[picture_], drawing=stream(b"q 300 0 0 400 0 0 cm /P Do Q"))


def itself() -> bytes:
    """A drawing that draws itself, ten times each time."""
    again = stream(b"/P Do " * 10, b"/Type /XObject /Subtype /Form /BBox [0 0 300 400]"
                   b" /Resources << /XObject << /P 5 0 R >> >>")  # fmt: skip
    resources = b"/Resources << /XObject << /P 5 0 R >> >>"
    return pdf(page=resources, more=[again], drawing=stream(b"/P Do"))


def nested() -> bytes:
    """Ten drawings, each of which draws the next ten times."""
    forms = []
    for at in range(9):
        inside = b"/P Do " * 10 if at < 8 else DRAWING
        below = b"/Resources << /XObject << /P %d 0 R >> >>" % (at + 6)
        forms.append(stream(inside, b"/Type /XObject /Subtype /Form /BBox [0 0 300 400] " + below))
    resources = b"/Resources << /XObject << /P 5 0 R >> >>"
    return pdf(page=resources, more=forms, drawing=stream(b"/P Do"))


# -- the corpus ------------------------------------------------------------------------------------

JPEG: Final = saved("JPEG")
TEXTS: Final[dict[str, bytes]] = {
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "svg with a head": b'<?xml version="1.0"?><svg onload="alert(1)"/>',
    "html": b"<html><script>alert(1)</script></html>",
    "html document": b"<!DOCTYPE html><title>x</title>",
    "entities": b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>',
    "script": b"#!/bin/sh\nrm -rf /",
    "php": b"<?php system($_GET['c']); ?>",
    "javascript": b"fetch('//x')",
    "batch": b"@echo off\r\nformat c:",
    "table": b'=cmd|"/c calc"!A1,2',
    "rtf": b"{\\rtf1\\object}",
    "eicar": EICAR,
    "eicar after spaces": b"   " + EICAR,
    "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n(x) run",
    "traversal": b"../../../../etc/passwd",
    "zeros": bytes(4096),
}
HEADS: Final[dict[str, bytes]] = {
    "elf": b"\x7fELF\x02\x01\x01", "exe": b"MZ\x90\x00", "macho": b"\xcf\xfa\xed\xfe",
    "class": b"\xca\xfe\xba\xbe", "wasm": b"\x00asm\x01\x00\x00\x00", "dex": b"dex\n035\x00",
    "mp4": b"\x00\x00\x00\x20ftypisom", "mov": b"\x00\x00\x00\x14ftypqt  ",
    "avif": b"\x00\x00\x00\x20ftypavif", "mp3": b"ID3\x04\x00", "avi": b"RIFF\x00\x00\x00\x00AVI ",
    "wav": b"RIFF\x00\x00\x00\x00WAVE", "webm": b"\x1a\x45\xdf\xa3", "ogg": b"OggS\x00",
    "swf": b"CWS\x0a", "psd": b"8BPS\x00\x01", "ico": b"\x00\x00\x01\x00\x01\x00",
    "wmf": b"\xd7\xcd\xc6\x9a", "sqlite": b"SQLite format 3\x00", "jxl": b"\xff\x0a",
    "ole": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "rar": b"Rar!\x1a\x07\x01\x00",
    "7z": b"7z\xbc\xaf\x27\x1c\x00\x04", "lnk": b"L\x00\x00\x00\x01\x14\x02\x00",
}  # fmt: skip
REFUSED: Final[dict[str, Made]] = {
    **{name: (lambda data=data: data) for name, data in TEXTS.items()},  # type: ignore[misc]
    **{name: (lambda head=head: head + MARK * 9) for name, head in HEADS.items()},  # type: ignore[misc]
    "nothing": lambda: b"",
    "zip": lambda: archive("a.txt"),
    "zip bomb": zip_bomb,
    "docx": lambda: archive("[Content_Types].xml", "word/document.xml"),
    "xlsm": lambda: archive("[Content_Types].xml", "xl/vbaProject.bin"),
    "apk": lambda: archive("AndroidManifest.xml", "classes.dex"),
    "zip of traversal": lambda: archive("../../../etc/cron.d/x"),
    "gz": lambda: gzip.compress(MARK),
    "gz bomb": lambda: gzip.compress(bytes(30_000_000)),
    "bz2": lambda: bz2.compress(MARK),
    "xz": lambda: lzma.compress(MARK),
    "tar": tar,
    "gif": lambda: saved("GIF"),
    "gif and zip": lambda: saved("GIF") + archive("Main.class"),
    "bmp": lambda: saved("BMP"),
    "tiff": lambda: saved("TIFF"),
    "html before a pdf": lambda: b"<script>alert(1)</script>" + pdf(),
    "zip before a photo": lambda: archive("a.txt") + JPEG,
    "png bomb": bilevel_bomb,
    "png that only says so": lambda: png(50_000, 50_000, zlib.compress(b"")),
    "png of 60 megapixels": lambda: png(10_000, 6_000, zeros(6_000 * 30_001), bits=8, colour=2),
    "png of no height": lambda: png(60_000, 0, b""),
    "png of 2^31": lambda: png(0x7FFFFFFF, 0x7FFFFFFF, b""),
    "png cut off": lambda: saved("PNG")[:900],
    "png with a wrong sum": lambda: saved("PNG").replace(b"IDAT", b"IDAX", 1),
    "jpeg cut off": lambda: JPEG[: len(JPEG) // 2],
    "jpeg of a head": lambda: JPEG[:20],
    "jpeg of 65,000": lambda: JPEG.replace(
        struct.pack(">HH", 400, 600), struct.pack(">HH", 65_000, 65_000)
    ),
    "jpeg of noise": lambda: b"\xff\xd8\xff\xe0" + hashlib.sha512(MARK).digest() * 99,
    "jpeg of one point": lambda: saved("JPEG", (1, 1)),
    "png of one row": lambda: saved("PNG", (3000, 1)),
    "webp of a head": lambda: b"RIFF\x24\x00\x00\x00WEBPVP8L" + bytes(24),
    "webp of 268 megapixels": lambda: saved("WEBP", (16_383, 1)).replace(
        struct.pack("<I", 16_382 | 0 << 14), struct.pack("<I", 16_382 | 16_382 << 14)
    ),
    "heic of a head": lambda: b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + MARK * 9,
    "heic cut off": lambda: heic()[: len(heic()) // 2],
    "pdf of a head": lambda: b"%PDF-1.7\n" + MARK * 9,
    "pdf cut off": lambda: pdf()[:120],
    "pdf without pages": lambda: pdf(pages=0),
    "pdf of 31 pages": lambda: pdf(pages=31),
    "pdf of a million pages": lambda: pdf().replace(b"/Count 1", b"/Count 1000000"),
    "pdf locked": lambda: locked(b"secret"),
    "pdf limited": locked,
    "pdf that takes for ever": nested,
    "pdf that draws itself": itself,
}
"""Name → a file that must not be kept."""


def _appended() -> Iterator[tuple[str, Made]]:
    for name, tail in (
        ("zip", archive("a.exe")), ("html", b"<script>alert(1)</script>" + MARK), ("eicar", EICAR),
        ("exe", b"MZ" + MARK), ("pdf", pdf(b"/OpenAction " + script())),
    ):  # fmt: skip
        yield f"jpeg and {name}", lambda tail=tail: JPEG + tail  # type: ignore[misc]
        yield f"png and {name}", lambda tail=tail: saved("PNG") + tail  # type: ignore[misc]
        yield f"pdf and {name}", lambda tail=tail: pdf() + tail  # type: ignore[misc]


def _texts() -> PngInfo:
    info = PngInfo()
    info.add_text("Comment", MARK.decode() + "<script>")
    info.add_itxt("XML:com.adobe.xmp", MARK.decode(), zip=True)
    return info


NEUTRALISED: Final[dict[str, Made]] = {
    **dict(_appended()),
    "jpeg with a place": lambda: saved("JPEG", exif=_exif()),
    "png with a place": lambda: saved("PNG", exif=_exif()),
    "webp with a place": lambda: saved("WEBP", exif=_exif()),
    "heic with a place": lambda: heic(exif=_exif().tobytes()),
    "jpeg with a remark": lambda: saved("JPEG", comment=MARK + b"<?php ?>"),
    "jpeg with xmp": lambda: saved("JPEG", xmp=b"<x:xmpmeta>" + MARK + b"</x:xmpmeta>"),
    "jpeg with a profile": lambda: saved("JPEG", icc_profile=MARK * 9),
    "png with texts": lambda: saved("PNG", pnginfo=_texts()),
    "pdf with a script": lambda: pdf(b"/OpenAction " + script()),
    "pdf with named scripts": lambda: pdf(
        b"/Names << /JavaScript << /Names [(a) %b] >> >>" % script()
    ),
    "pdf with a script a page": lambda: pdf(page=b"/AA << /O %b >>" % script()),
    "pdf with an attached file": attached,
    "pdf that launches": lambda: pdf(b"/OpenAction << /S /Launch /F (cmd.exe) /P (%b) >>" % MARK),
    "pdf with a link": lambda: link(b"<< /S /URI /URI (http://x/%b) >>" % MARK),
    "pdf that goes elsewhere": lambda: link(b"<< /S /GoToR /F (//x/%b) /D [0 /Fit] >>" % MARK),
    "pdf that submits": lambda: link(b"<< /S /SubmitForm /F (http://x/%b) >>" % MARK),
    "pdf with a form": lambda: form(b"/V (%b)" % MARK),
    "pdf with a form that acts": lambda: form(b"/AA << /K %b >>" % script()),
    "pdf with xfa": lambda: pdf(
        b"/AcroForm << /XFA 5 0 R /Fields [] >>", more=[stream(b"<xdp>" + MARK + b"</xdp>")]
    ),
    "pdf with a film": lambda: pdf(
        page=b"/Annots [<< /Type /Annot /Subtype /RichMedia /Rect [0 0 9 9] /NM (%b) >>]" % MARK
    ),
    "pdf with its author": lambda: pdf(more=[b"<< /Author (%b) >>" % MARK], trailer=b"/Info 5 0 R"),
    "pdf as wide as a street": lambda: pdf(box=b"[0 0 14400000 300]"),
}
"""Name → a file of which only what is seen may be kept."""
HEAVY: Final[dict[str, Made]] = {
    "pdf of a gigabyte": lambda: pdf(
        drawing=stream(zeros(1 << 30), b"/Filter /FlateDecode")
    ),
    "pdf with a picture of 50,000": lambda: drawn_picture(
        b"/Width 50000 /Height 50000 /ColorSpace /DeviceRGB /BitsPerComponent 8"
        b" /Filter /FlateDecode", zeros(1 << 30),
    ),
    "png with a long remark": lambda: png(
        600, 400, zeros(400 * 76), chunk(b"zTXt", b"a\x00\x00" + zeros(1 << 29))
    ),
    "png with a large profile": lambda: png(
        600, 400, zeros(400 * 76), chunk(b"iCCP", b"a\x00\x00" + zeros(1 << 29))
    ),
}  # fmt: skip
"""Name → a bomb, which may be refused or defused."""
