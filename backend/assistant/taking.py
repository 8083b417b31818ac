"""答 (taking): what an answer to a question of the estimate says, however it is put."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Final

from backend.assistant.amounts import amount_answered
from backend.assistant.asking import FLAGS, PAYERS, choices_of
from backend.assistant.places import place_in
from backend.assistant.sheet import Sheet
from backend.assistant.slots import slot_words
from backend.assistant.understanding import Slots
from backend.estimation.questions import Choice, Questions

_NUMBERS: Final = re.compile(r"(?<!\d)\d{1,2}(?!\d)", re.ASCII)
_BESIDE_NUMBERS: Final = re.compile(
    r"[\s,.;:、。()和跟与及还有又选项个号类种第回是在我属于就那这吧了啊呀的]*"
)
"""All that may stand beside the numbers of a list: `15万` and `3岁` choose nothing."""


class Taker:
    """Takes one answer. `heard`: as `Hearing` gives it; `slots`: what is named in it."""

    def __init__(self, sheet: Sheet, questions: Questions | None, today: date) -> None:
        self._sheet, self._questions, self._today = sheet, questions, today
        self._words = slot_words()

    def take(self, question: str, heard: str, slots: Slots) -> Sheet | None:
        """The sheet with the answer; None: it was not understood."""
        if question in PAYERS:
            return self._payer(question, heard, slots)
        if question in FLAGS:
            return self._flag(question, heard)
        return self._taking[question](heard, slots)

    @property
    def _taking(self) -> Mapping[str, Callable[[str, Slots], Sheet | None]]:
        return {
            "place": self._place,
            "who": self._who,
            "setting": self._setting,
            "day": self._day,
            "total": self._total,
            "in_scope": self._in_scope,
            "disease_group": self._disease_group,
            "declined": self._declined,
            "rare_drug": self._rare_drug,
        }

    def _place(self, heard: str, slots: Slots) -> Sheet | None:
        area = slots.area or place_in(heard)
        return None if area is None else self._sheet.answered("place", area=area)

    def _who(self, heard: str, slots: Slots) -> Sheet | None:
        chosen = [choice.code for choice in self._numbered("who", heard)]
        codes = tuple(dict.fromkeys((*slots.categories, *chosen)))
        if codes:
            return self._sheet.answered("who", categories=codes)
        if holds(self._words.unknown, heard):
            return self._sheet.not_known("who")
        nobody = holds(self._words.nobody, heard)
        return self._sheet.answered("who", categories=()) if nobody else None

    def _setting(self, heard: str, slots: Slots) -> Sheet | None:
        chosen = [choice.code for choice in self._numbered("setting", heard)]
        setting = slots.setting or (chosen[0] if len(chosen) == 1 else None)
        return None if setting is None else self._sheet.answered("setting", setting=setting)

    def _day(self, heard: str, slots: Slots) -> Sheet | None:
        if slots.day is None and self._doubts(heard):
            return self._sheet.not_known("day", day=self._today)
        return None if slots.day is None else self._sheet.answered("day", day=slots.day)

    def _total(self, heard: str, slots: Slots) -> Sheet | None:
        total = amount_answered(heard) if slots.total is None else slots.total
        known = sum(self._sheet.paid.values())
        if not total or total < known:
            return None
        return self._sheet.answered("total", total=total)

    def _payer(self, layer: str, heard: str, slots: Slots) -> Sheet | None:
        fen = self._paid(layer, heard, slots)
        if fen is None:
            unknown = holds(self._words.unknown, heard)
            return self._sheet.not_known(layer) if unknown else None
        others = {name: paid for name, paid in self._sheet.paid.items() if name != layer}
        if fen + sum(others.values()) > (self._sheet.total or 0):
            return None
        return self._sheet.answered(layer, paid={**others, layer: fen})

    def _paid(self, layer: str, heard: str, slots: Slots) -> int | None:
        """What a layer paid; of basic insurance also as what the person did not pay."""
        if layer in slots.paid:
            return slots.paid[layer]
        own = slots.own
        if layer == "basic" and own is None and says_yes(heard):
            own = self._sheet.own
        if layer == "basic" and own is not None and self._sheet.total is not None:
            rest = self._sheet.total - own - sum(self._sheet.paid.values())
            return rest if rest >= 0 else None
        said = amount_answered(heard)
        if said is None and holds(self._words.nothing, heard) and not self._doubts(heard):
            return 0
        return said

    def _in_scope(self, heard: str, slots: Slots) -> Sheet | None:
        said = amount_answered(heard) if slots.in_scope is None else slots.in_scope
        if said is None:
            no_slip = self._doubts(heard) or holds(self._words.nothing, heard)
            return self._sheet.not_known("in_scope") if no_slip else None
        fits = sum(self._sheet.paid.values()) <= (self._sheet.total or 0) >= said > 0
        return self._sheet.answered("in_scope", in_scope=said) if fits else None

    def _flag(self, flag: str, heard: str) -> Sheet | None:
        if self._doubts(heard):
            return self._sheet.not_known(flag)
        if not says_yes(heard) and not says_no(heard):
            return None
        flags = {**self._sheet.flags, flag: says_yes(heard)}
        return self._sheet.answered(flag, flags=flags)

    def _disease_group(self, heard: str, slots: Slots) -> Sheet | None:
        chosen = self._numbered("disease_group", heard) or self._named("disease_group", heard)
        if self._doubts(heard):
            return self._sheet.not_known("disease_group")
        if len(chosen) != 1:
            return None
        return self._sheet.answered("disease_group", disease_group=chosen[0].code)

    def _declined(self, heard: str, slots: Slots) -> Sheet | None:
        if self._doubts(heard):
            return self._sheet.not_known("declined")
        if not says_yes(heard) and not says_no(heard):
            return None
        return self._sheet.answered("declined", declined=says_yes(heard))

    def _rare_drug(self, heard: str, slots: Slots) -> Sheet | None:
        said = amount_answered(heard)
        if said is None and (self._doubts(heard) or holds(self._words.nothing, heard)):
            said = 0
        fits = said is not None and said <= (self._sheet.total or 0)
        return self._sheet.answered("rare_drug", rare_drug=said) if fits else None

    def _doubts(self, heard: str) -> bool:
        return holds(self._words.unknown, heard)

    def _numbered(self, question: str, heard: str) -> list[Choice]:
        """What was chosen by numbers, and by nothing else."""
        alone = _BESIDE_NUMBERS.fullmatch(_NUMBERS.sub("", heard))
        if self._questions is None or alone is None:
            return []
        choices = choices_of(question, self._questions)
        numbers = [int(number) for number in _NUMBERS.findall(heard)]
        return [choices[number - 1] for number in numbers if 0 < number <= len(choices)]

    def _named(self, question: str, heard: str) -> list[Choice]:
        if self._questions is None:
            return []
        choices = choices_of(question, self._questions)
        return [one for one in choices if any(part in heard for part in one.name.split("、"))]


def holds(words: list[str], heard: str) -> bool:
    """Whether one of the words stands in the text."""
    return any(word in heard for word in words)


def says_yes(heard: str) -> bool:
    """`是`, `有`, `没错`; not `不是`, `没有`."""
    words = slot_words()
    return "没错" in heard or (holds(words.agreed, heard) and not holds(words.refused, heard))


def says_no(heard: str) -> bool:
    """`不是`, `没有`."""
    return "没错" not in heard and holds(slot_words().refused, heard)
