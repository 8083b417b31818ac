"""Whatever is handed in, what is kept is drawn anew, or nothing is; and the worker stays small."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pypdfium2
import pytest
from PIL import Image, ImageOps

from backend.kernel.settings import PROJECT
from backend.papers import cleaning
from backend.papers.cleaning import Cleaned, CleanerEnded, cleaned
from backend.papers.reasons import REASONS, NotTaken
from backend.papers.redrawing import LONGEST_SIDE, redrawn
from tests.support import bad_files
from tests.support.bad_files import EICAR, HEAVY, MARK, NEUTRALISED, REFUSED, pdf, saved
from tests.support.handing_in import photo

MOST_GROWTH = 100 * 1024 * 1024
ACTIVE = re.compile(
    rb"/JavaScript|/JS\b|/OpenAction|/AA\b|/Launch|/EmbeddedFile|/AcroForm|/XFA|/URI|/GoTo|"
    rb"/SubmitForm|/RichMedia|/Annot|/Encrypt|/Info\b|<script|<\?php|PK\x03\x04|GPS|Exif|ICC_PROFILE"
)
Clean = Callable[[list[bytes]], Cleaned]


def outcome(clean: Clean, data: bytes) -> str:
    """`refused: why`, `kept`, or what is wrong with what was kept."""
    try:
        found = clean([data])
    except NotTaken as refusal:
        known = "refused" if refusal.reason in REASONS else "refused without words"
        return f"{known}: {refusal.reason}"
    if MARK in found.content or EICAR in found.content:
        return "the mark is still there"
    if left := ACTIVE.search(found.content):
        return f"still there: {left[0]!r}"
    return "kept" if opens(found) else "does not open"


def opens(found: Cleaned) -> bool:
    """Whether it is what it says, and nothing behind its end."""
    if found.media == "application/pdf":
        with pypdfium2.PdfDocument(found.content) as document:
            return len(document) == found.pages and found.content.endswith(b"%%EOF\n")
    with Image.open(io.BytesIO(found.content), formats=["JPEG"]) as picture:
        if max(picture.size) > LONGEST_SIDE:
            return False
        picture.load()
        plain = not picture.getexif() and set(picture.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}  # fmt: skip
    return plain and found.content.endswith(b"\xff\xd9")


def wrong(clean: Clean) -> list[str]:
    """Every file of the corpus that is not treated as it should be."""
    with ThreadPoolExecutor(2) as pool:
        told = {
            name: pool.submit(lambda make=make: outcome(clean, make()))  # type: ignore[misc]
            for name, make in {**REFUSED, **NEUTRALISED}.items()
        }
    return [
        f"{name}: {one.result()}"
        for name, one in told.items()
        if not one.result().startswith("refused:" if name in REFUSED else "kept")
    ]


def test_the_corpus_is_refused_or_neutralised_all_of_it() -> None:
    assert len(REFUSED) + len(NEUTRALISED) + len(HEAVY) >= 60
    assert wrong(cleaned) == []


def test_a_cleaner_that_passes_everything_on_is_found() -> None:
    def passes(pieces: list[bytes]) -> Cleaned:
        data = b"".join(pieces)
        return Cleaned("application/pdf" if data[:4] == b"%PDF" else "image/jpeg", 1, data)

    def harmless(pieces: list[bytes]) -> Cleaned:
        try:
            return passes(pieces)
        finally:
            Image.MAX_IMAGE_PIXELS = None

    found = 0
    for name, make in {**REFUSED, **NEUTRALISED}.items():
        if "bomb" in name or "megapixels" in name or "for ever" in name:
            continue
        try:
            told = outcome(harmless, make())
        except Exception:
            told = "does not open"
        found += told != ("kept" if name in NEUTRALISED else "refused")
    assert found >= len(REFUSED) + len(NEUTRALISED) - 12


def test_the_process_loads_decoders_and_nothing_that_reaches_the_database() -> None:
    program = "import sys, backend.papers.cleaner; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    loaded = done.stdout.split()
    assert "pypdfium2" in loaded
    assert not {"sqlalchemy", "psycopg", "backend.kernel.settings"} & set(loaded)


# -- bombs -----------------------------------------------------------------------------------------


def resident(which: str) -> int:
    """VmRSS, or VmHWM: the most since `forget_peak`. Bytes."""
    line = re.search(rf"^{which}:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.M)
    assert line is not None
    return int(line[1]) * 1024


def growth(deed: Callable[[], object]) -> int:
    """By how much this process was larger at most while it did it."""
    Path("/proc/self/clear_refs").write_text("5")
    before = resident("VmRSS")
    deed()
    return resident("VmHWM") - before


BOMBS = {**HEAVY, **{name: make for name, make in REFUSED.items() if "bomb" in name}}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_defused_and_its_handler_stays_small(name: str) -> None:
    data = BOMBS[name]()
    assert len(data) < 10 * 1024 * 1024
    told: list[str] = []
    assert growth(lambda: told.append(outcome(cleaned, data))) < MOST_GROWTH
    assert told[0].startswith(("refused", "kept"))


def test_the_largest_files_leave_the_worker_small_too() -> None:
    written = io.BytesIO()
    Image.effect_noise((3400, 3000), 90).convert("RGB").save(written, "JPEG", quality=94)
    largest = [written.getvalue(), pdf(pages=30)]
    assert len(largest[0]) > 5_000_000
    assert growth(lambda: [cleaned([one]) for one in largest]) < MOST_GROWTH


def test_a_bomb_opened_here_would_be_seen_by_this_measure() -> None:
    data = bad_files.png(9_000, 5_500, bad_files.zeros(5_500 * 27_001), bits=8, colour=2)
    assert growth(lambda: redrawn(data, "PNG")) > MOST_GROWTH


# -- what good files become ------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "HEIF"])
def test_a_photo_looks_as_before(form: str) -> None:
    data = bad_files.heic() if form == "HEIF" else saved(form)
    found = Image.open(io.BytesIO(cleaned([data]).content))
    before = bad_files.picture()
    assert found.size == before.size
    for point in ((10, 10), (300, 200), (590, 390)):
        assert all(
            abs(a - b) < 12
            for a, b in zip(found.getpixel(point), before.getpixel(point), strict=True)  # type: ignore[arg-type]
        )


@pytest.mark.parametrize("turned", range(1, 9))
def test_a_photo_is_turned_upright(turned: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = turned
    upright = bad_files.picture()
    upright.paste("red", (0, 0, 60, 60))
    back = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}
    lying = upright.transpose(Image.Transpose(back[turned])) if turned > 1 else upright
    written = io.BytesIO()
    lying.save(written, "JPEG", exif=exif, quality=95)
    assert ImageOps.exif_transpose(Image.open(io.BytesIO(written.getvalue()))).size == (600, 400)
    found = Image.open(io.BytesIO(cleaned([written.getvalue()]).content))
    red, green, _ = found.getpixel((20, 20))  # type: ignore[misc]
    assert found.size == (600, 400)
    assert red > 200 > green


def test_a_large_photo_is_made_smaller() -> None:
    found = Image.open(io.BytesIO(cleaned([photo(5000, 2000)]).content))
    assert found.size == (LONGEST_SIDE, LONGEST_SIDE * 2 // 5)


def test_what_was_written_into_a_form_is_still_seen() -> None:
    look = bad_files.stream(
        b"1 0 0 rg 0 0 70 70 re f", b"/Type /XObject /Subtype /Form /BBox [0 0 70 70]"
    )
    field = b"<< /Type /Annot /Subtype /Widget /FT /Tx /T (a) /Rect [20 20 90 90] /F 4 /AP << /N 6 0 R >> >>"
    data = pdf(
        b"/AcroForm << /Fields [5 0 R] >>",
        b"/Annots [5 0 R]",
        [field, look],
        drawing=bad_files.stream(b""),
    )
    with pypdfium2.PdfDocument(cleaned([data]).content) as document:
        shown = document[0].render(scale=1).to_pil()
    width, height = shown.size
    red, green, _ = shown.getpixel((width * 50 // 300, height - height * 50 // 400))  # type: ignore[misc]
    assert red > 200 > green


def test_the_same_file_becomes_the_same_bytes() -> None:
    for data in (photo(), pdf(pages=3)):
        assert cleaned([data]) == cleaned([data])


# -- when the process ends -------------------------------------------------------------------------


def cleaners() -> set[int]:
    """The cleaners of this process that run now."""
    told = subprocess.run(
        ["pgrep", "-P", str(os.getpid()), "-f", "backend.papers.cleaner"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return {int(one) for one in told.stdout.split()}


def test_a_cleaner_that_is_killed_is_no_fault_of_the_file() -> None:
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(cleaned, [REFUSED["pdf that takes for ever"]()])
        deadline = time.monotonic() + 20
        while not (found := cleaners()):
            assert time.monotonic() < deadline
        for one in found:
            os.kill(one, signal.SIGKILL)
        with pytest.raises(CleanerEnded):
            waiting.result()
    assert not cleaners()


def test_a_cleaner_that_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cleaning, "PATIENCE_S", 0.8)
    with pytest.raises(CleanerEnded):
        cleaned([REFUSED["pdf that takes for ever"]()])
    assert not cleaners()


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("", CleanerEnded),
        ("print('{')", CleanerEnded),
        ("import sys; sys.exit(3)", CleanerEnded),
        ("import os; os.abort()", NotTaken),
        ('print(\'{"media":"text/html","pages":1,"size":1}\\nx\')', NotTaken),
        ('print(\'{"media":"image/jpeg","pages":1,"size":5}\\n<html\')', NotTaken),
        ('print(\'{"refused":"because"}\')', NotTaken),
        ("print('x' * 50_000_000)", CleanerEnded),
    ],
)
def test_a_cleaner_that_was_taken_over_is_not_believed(
    monkeypatch: pytest.MonkeyPatch, said: str, expected: type[Exception]
) -> None:
    monkeypatch.setattr(cleaning, "PATIENCE_S", 5.0)
    monkeypatch.setattr(cleaning, "_COMMAND", (*cleaning._COMMAND[:1], "-c", said))
    told: list[str] = []

    def ask() -> None:
        with pytest.raises(expected):
            cleaned([photo()])
        told.append("asked")

    assert growth(ask) < MOST_GROWTH
    assert told


def test_the_cleaner_is_given_nothing_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://somebody:secret@here/x")
    look = "import os, sys; sys.exit(0 if 'DATABASE_URL' in os.environ else 7)"
    monkeypatch.setattr(cleaning, "_COMMAND", (*cleaning._COMMAND[:1], "-c", look))
    with pytest.raises(CleanerEnded, match="status 7"):
        cleaned([photo()])
