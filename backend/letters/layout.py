"""版面 (layout): what stands in a letter, in its order, for paper, screen and ear."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any, Final

import segno

from backend.letters.content import LetterContent
from backend.letters.fonts import printable
from backend.letters.wording import Part, Template, template_of

_SIGNS: Final = "承诺人手写签名（按住空白处写）"
_SHORT: Final = 16
"""Hexadecimal digits of a paper's hash that are printed; the evidence has all of it."""


@dataclass(frozen=True, slots=True)
class Layout:
    """A letter's parts, each as it is printed."""

    title: str
    facts: tuple[tuple[str, str], ...]
    opening: str
    parts: tuple[Part, ...]
    closing: str
    beside: tuple[str, ...]
    footer: str

    @property
    def text(self) -> str:
        """All of it, a line a paragraph: as it is shown on a screen."""
        return "\n".join((*self._said(numbered=True), *self.beside))

    @property
    def aloud(self) -> tuple[str, ...]:
        """What is read to somebody, sentence by sentence: no codes, hashes and addresses."""
        return self._said(numbered=False)

    def _said(self, *, numbered: bool) -> tuple[str, ...]:
        lines = [self.title, *(f"{label}：{value}" for label, value in self.facts), self.opening]
        for part in self.parts:
            lines.append(part.title)
            for number, item in enumerate(part.items, start=1):
                lines.append(f"{number}. {item}" if numbered else item)
        if not numbered:
            lines = [line for line in lines if not line.startswith("编号：")]
        return (*lines, self.closing)


def layout_of(content: LetterContent) -> Layout:
    """The letter laid out, every word drawable. Raises `KeyError` for an unknown template."""
    wording = template_of(content.template, content.version)
    found = Layout(
        title=wording.name,
        facts=_facts(content),
        opening=wording.opened_by(content),
        parts=(*_own_parts(content, wording), *wording.sections),
        closing=wording.closing,
        beside=(
            "验真：扫码，或在网页上打开",
            content.url,
            f"编号 {content.code}",
            f"{_day(content)}",
        ),
        footer=f"{wording.name}（第 {wording.version} 版） 编号 {content.code}",
    )
    return _drawable(found)


def as_data(layout: Layout, url: str) -> dict[str, Any]:
    """What the page is drawn from."""
    return {
        "title": layout.title,
        "facts": [list(fact) for fact in layout.facts],
        "opening": layout.opening,
        "parts": [{"title": part.title, "items": list(part.items)} for part in layout.parts],
        "closing": layout.closing,
        "signs": _SIGNS,
        "beside": list(layout.beside),
        "footer": layout.footer,
        "qr": _qr(url),
        "alt": f"二维码：{url}",
    }


def _facts(content: LetterContent) -> tuple[tuple[str, str], ...]:
    facts = [
        ("编号", content.code),
        ("申请人", content.applicant),
        ("身份证", content.number),
        ("经办地", content.area),
        ("办什么", content.kind),
    ]
    if content.by:
        facts.append(("签名人", content.by))
    if content.supersedes:
        facts.append(("代替", f"这份代替编号 {content.supersedes} 的文书，那一份不再算数。"))
    facts.append(("日期", _day(content)))
    return tuple(facts)


def _own_parts(content: LetterContent, wording: Template) -> list[Part]:
    """What this letter alone says, in front of what all of its kind say."""
    parts = []
    if content.answers:
        said = tuple(f"{one.label}：{one.value}" for one in content.answers)
        parts.append(Part(wording.says_answers, said))
    if content.papers:
        named = tuple(f"{one.title}（指纹 {one.sha256[:_SHORT]}）" for one in content.papers)
        parts.append(Part(wording.says_papers, named))
    if content.expected is not None:
        known = (f"估算 {content.expected.amount}，以批下来的为准。", *content.expected.steps)
        parts.append(Part("大约能得多少", known))
    return parts


def _drawable(layout: Layout) -> Layout:
    return Layout(
        printable(layout.title),
        tuple((printable(label), printable(value)) for label, value in layout.facts),
        printable(layout.opening),
        tuple(
            Part(printable(part.title), tuple(printable(item) for item in part.items))
            for part in layout.parts
        ),
        printable(layout.closing),
        tuple(printable(line) for line in layout.beside),
        printable(layout.footer),
    )


def _day(content: LetterContent) -> str:
    return f"{content.day.year} 年 {content.day.month} 月 {content.day.day} 日"


def _qr(url: str) -> str:
    drawn = io.BytesIO()
    segno.make(url, error="m", micro=False).save(drawn, kind="svg", border=1, xmldecl=False)
    return drawn.getvalue().decode()
