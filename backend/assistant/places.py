"""户籍地 (places): where somebody says to be registered, not where they are treated or work."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Final

import rjieba

from backend.kernel import areas
from backend.policies.book import PolicyBook
from backend.policies.standing import Place, places

_CARE: Final = (
    "医院|卫生院|诊所|看病|看的病|看过病|住院|住的院|住了院|住过院|就医|就诊|治|手术|开刀|开的刀|检查|"
    "透析|化疗|放疗|抢救|急诊"
)
_STAY: Final = "打工|务工|上班|工作|干活|做工|做生意|读书|上学|上大学|念书|带孩子|租房"
_ON_THE_WAY: Final = re.compile(
    r"(?:去|赴|往|转|转院|转诊|(?<![迁嫁搬转])到|(?:看病|转|转院|转诊|送|跑)(?:去|到|往))(?:了|过)?$"
)
_ELSEWHERE: Final = re.compile(rf"^(?:市|省|县|区|那边|这边|这里|那里|的|大)*(?:{_CARE}|{_STAY})")
_HOSPITAL: Final = re.compile(r"^[^去到在住看转的,。;、\s]{0,5}医院")
_PLACE_TAGS: Final = frozenset({"ns", "nr", "nrt", "nz"})
_IN: Final = re.compile(r"(?:在|从)$")
_PLACE_ALONE: Final = re.compile(
    r"我们|我|俺|咱|阿拉|他|她|是|在|的|人|户口|户籍|老家|病人|家里|家|住|呢|那边|那里|那|这边|这里|这|"
    r"[一-龥]{2,3}(?:镇|乡|村|街道|社区)|市|县|区|省|就|也|啊|呀|哦|吧|嘛|嗯|哈"
)


def place_in(text: str) -> str | None:
    """The code of the one place that a text names; None: none, or several of one name.

    For answers to the question for a place: names that are words as well (和平) count.
    """
    codes = areas.named_in(text)
    return codes[0] if len(codes) == 1 else None


def place_alone(text: str) -> str | None:
    """The place of a normalised text that names one and says hardly more (`我是江阴的`)."""
    rest = text
    for name in areas.names_in(text):
        rest = rest.replace(name, "")
    rest = _PLACE_ALONE.sub("", rest)
    return None if any(map(str.isalnum, rest)) else place_in(text)


def registered_in(heard: str, book: PolicyBook) -> str | None:
    """The place whose rules a heard text asks about, where it is surely meant for a place: named in
    full, or with a policy, or a province or city; other short names may be words (`富裕`, `惠民`).
    Where somebody is treated, works or travels to is not it.
    """
    rest = _without_places_of_stay(heard)
    code = place_in(rest)
    if code is None:
        return None
    names = areas.names_in(rest)
    name = next(name for name in names if code in areas.bearing(name))
    within = any(above in areas.bearing(one) for one in names for above in areas.chain(code)[1:])
    sure = within or name == areas.area_short_name(code) or bool(book.concerning(code))
    return code if sure or (_is_city(name, code) and _is_word(name, rest)) else None


def places_within(area: str, book: PolicyBook) -> tuple[Place, ...]:
    """The places in a province or city that have policies of their own."""
    inside = areas.below(area)
    return tuple(place for place in places(book) if place.code in inside)


def _is_city(name: str, code: str) -> bool:
    """A province or city; a county's city by a name that the dictionary knows as a place."""
    county = code[4:] != "00"
    return not county or ((areas.area_short_name(code) or "").endswith("市") and _names_place(name))


def _is_word(name: str, text: str) -> bool:
    """Whether it stands there for itself, not across words (`路上海鲜`)."""
    text = text.replace(f"{name}人", f"{name} ")
    borders = {at for _, *span in rjieba.tokenize(text, "default", False) for at in span}
    start = text.find(name)
    return {start, start + len(name)} <= borders


@cache
def _names_place(name: str) -> bool:
    tagged = rjieba.tag(name)
    return len(tagged) == 1 and tagged[0][1] in _PLACE_TAGS


def _without_places_of_stay(heard: str) -> str:
    """The text with the names of such places blanked out."""
    for name in areas.names_in(heard):
        for start in list(_places_of_stay(name, heard)):
            heard = heard[:start] + " " * len(name) + heard[start + len(name) :]
    return heard


def _places_of_stay(name: str, heard: str) -> Iterator[int]:
    for match in re.finditer(re.escape(name), heard):
        before, after = heard[: match.start()], heard[match.end() :]
        stays = _IN.search(before) and _ELSEWHERE.search(after)
        if stays or _ON_THE_WAY.search(before) or _HOSPITAL.search(after):
            yield match.start()
