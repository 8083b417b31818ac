"""Letters on paper: complete, the same each time, every character drawn, no word read as markup."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pypdfium2
import pytest

from backend.kernel.settings import PROJECT
from backend.letters import fonts, rendering
from backend.letters.content import Expected, LetterContent, Said, packed, unpacked
from backend.letters.layout import layout_of
from backend.letters.rendering import LetterUnprintable, render
from backend.letters.sealing import BOX
from backend.letters.wording import newest, templates
from tests.support.letters import content

RARE = "𠮷䶮㛃𬱖𣲘"
NOWHERE = "\U000323af"


def text_of(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(pdf)
    return "".join(page.get_textpage().get_text_range() for page in document)


def plain(text: str) -> str:
    """Without breaks of lines and pages, spaces and places to break."""
    return "".join(one for one in text if not one.isspace() and one not in "\u200b\ufffe\x02")


def fonts_of(pdf: bytes) -> Iterator[str]:
    document = pypdfium2.PdfDocument(pdf)
    for page in document:
        for one in page.get_objects(filter=[1]):
            yield one.get_font().get_base_name()


@pytest.mark.parametrize("size", ["normal", "large"])
@pytest.mark.parametrize("template", sorted({name for name, _ in templates()}))
def test_a_letter_says_on_paper_what_it_says_on_the_screen(template: str, size: str) -> None:
    letter = content(template=template, version=newest(template).version)
    made = render(letter, size)  # type: ignore[arg-type]
    printed = plain(text_of(made.pdf))
    for line in made.text.splitlines():
        assert plain(line) in printed, line


def test_the_first_letter_is_word_for_word_as_it_was_agreed() -> None:
    golden = (PROJECT / "tests/cases/letter.txt").read_text(encoding="utf-8")
    assert render(content()).text == golden.rstrip("\n")


def test_a_letter_is_the_same_bytes_each_time_and_in_another_process() -> None:
    made = render(content())
    assert render(content()).pdf == made.pdf
    script = (
        "from tests.support.letters import content;"
        "from backend.letters.rendering import render;print(render(content()).sha256.hex())"
    )
    other = subprocess.run(
        [sys.executable, "-c", script], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert other.stdout.strip() == made.sha256.hex()


def test_rare_characters_of_names_are_drawn_and_not_as_boxes() -> None:
    made = render(content(applicant=RARE))
    assert RARE in text_of(made.pdf)
    assert all(ord(one) in fonts.covered() for one in RARE)
    shapes = {drawn(one) for one in RARE}
    assert len(shapes) == len(RARE), "two of them look the same: boxes?"


def drawn(character: str) -> bytes:
    """How it looks, by itself."""
    document = pypdfium2.PdfDocument(render(content(applicant=character)).pdf)
    page = document[0].render(scale=3).to_pil().convert("L")
    place = document[0].get_textpage()
    at = place.get_text_range().index(character)
    left, bottom, right, top = place.get_charbox(at, loose=True)
    height = document[0].get_height()
    box = (int(left * 3), int((height - top) * 3), int(right * 3) + 1, int((height - bottom) * 3))
    return bytes(page.crop(box).tobytes())


def test_what_the_font_lacks_is_named_by_its_number() -> None:
    made = render(content(applicant=f"李{NOWHERE}", answers=(Said("备注", "好😀\u202e\x07的"),)))
    printed = plain(text_of(made.pdf))
    assert "李〔U+323AF〕" in printed
    assert "好〔U+1F600〕〔U+202E〕〔U+0007〕的" in printed
    assert "〔U+323AF〕" in made.text, "it is read as it is printed"


def test_a_character_that_slipped_through_is_refused_and_never_a_box(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("backend.letters.layout.printable", lambda text: text)
    with pytest.raises(LetterUnprintable) as refused:
        render(content(applicant=NOWHERE))
    assert "柜台" in refused.value.faults[0].detail


@pytest.mark.parametrize(
    "nasty",
    [
        "#read(\"/etc/passwd\")", "*粗* _斜_ `码` $x^2$ @ref <label>", "#{panic()}", "]#[", "\\u{41}",
        "{area}{kind}{applicant}", "%PDF-1.7", "</text><script>", "\"quotes\" 'single'", "//注释",
        "= 标题", "- 列表", "---",
    ],
)  # fmt: skip
def test_what_people_write_is_never_markup(nasty: str) -> None:
    letter = content(applicant=nasty, kind=nasty, area=nasty, answers=(Said(nasty, nasty),))
    printed = plain(text_of(render(letter).pdf))
    assert printed.count(plain(nasty)) >= 5


def test_the_font_is_inside_and_no_other() -> None:
    assert {name.split("+")[-1] for name in fonts_of(render(content()).pdf)} == {
        "NotoSansCJKsc-Thin"
    }


def test_a_letter_says_that_it_is_for_archives() -> None:
    pdf = render(content()).pdf
    assert b"pdfaid:part" in pdf or b"pdfaid" in pdf
    assert rendering.STANDARD == "a-2b"


@pytest.mark.parametrize("answers", [0, 5, 18, 19, 20, 21, 22, 40, 90])
@pytest.mark.parametrize("size", ["normal", "large"])
def test_the_place_of_the_signature_is_free_on_the_last_page(answers: int, size: str) -> None:
    said = tuple(Said(f"第 {number} 项", "有" * 30) for number in range(answers))
    pdf = render(content(answers=said), size).pdf  # type: ignore[arg-type]
    document = pypdfium2.PdfDocument(pdf)
    page = document[len(document) - 1]
    left, bottom, right, top = BOX
    inside = page.get_textpage().get_text_bounded(left + 1, bottom + 1, right - 1, top - 1)
    assert inside.strip() == ""
    above = page.get_textpage().get_text_bounded(left, top, right + 100, top + 25)
    assert "手写签名" in above


def test_what_is_read_aloud_has_no_codes() -> None:
    aloud = "".join(layout_of(content()).aloud)
    assert "编号" not in aloud
    assert "https" not in aloud
    assert "多领的钱要退回来" in aloud


@pytest.mark.parametrize(
    "different", [{}, {"expected": None, "papers": (), "by": "王某（监护人）"}]
)
def test_a_letter_is_kept_whole(different: dict[str, object]) -> None:
    letter: LetterContent = content(**different)
    assert unpacked(packed(letter)) == letter


def test_another_word_makes_another_letter() -> None:
    one = content()
    assert one.sha256 != content(expected=Expected("12,345.61 元")).sha256
    assert render(one).sha256 != render(content(kind="临时救助")).sha256
