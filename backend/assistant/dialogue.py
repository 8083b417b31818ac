"""一步步算 (dialogue): an estimate in the chat, one question at a time, until it is done."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from msgspec import structs

from backend.assistant.amounts import amount_answered
from backend.assistant.answers import not_here
from backend.assistant.asking import PAYERS, Asking
from backend.assistant.orders import orders
from backend.assistant.outcome import outcome
from backend.assistant.places import places_within
from backend.assistant.sheet import Sheet, filled
from backend.assistant.slots import slot_words
from backend.assistant.taking import Taker
from backend.assistant.understanding import Slots
from backend.assistant.wording import yuan
from backend.estimation.terms import Rules
from backend.kernel import areas

WAYS: Final = "随时可以说“上一步”“重新来”“不算了”，找人就说“人工”。"
START: Final = f"我一步步帮您算。{WAYS}"
GIVEN_UP: Final = (
    "这一步我们没说清楚，先不算了。要让人帮您看单子，请回“人工”；想再算，就说“算一下”。"
)
STOPPED: Final = "好，不算了。想算的时候再说“算一下”。"
AGAIN: Final = "好，从头来。"
AT_START: Final = "已经是第一个问题了。"
NO_POLICY: Final = (
    "{}的医疗救助政策这里还没有收录，算不了。请问当地医保部门，或拨打 12393；"
    "想让工作人员回复您，请回“人工”。"
)
MISSED_OFTEN: Final = "要是不好回答，可以说“不算了”，或回“人工”让人帮您看单子。"
TELL: Final = {
    "basic": "这个数最要紧：结算单上叫“统筹基金支付”，也可以说您自己一共付了多少。",
    "day": "说哪一年也行，比如“今年”“去年”；还是记不清，就再说一遍“不知道”，我当作今天来算。",
}
"""What is said before it is taken that somebody does not know what matters much."""
HINTS: Final = {
    "place": "我没认出这个地方。请说县、市或区的名字，比如“宜兴”“亭湖区”。",
    "who": "我没听明白是哪一类。回上面的数字就行，都不是就回“都不是”。",
    "setting": "我没听明白。请回数字，比如住院回那一行的数字。",
    "day": "我没认出日子，或者那天还没到。请这样说：“2024年3月9日”，或“去年三月”。",
    "total": "我没认出钱数。请写成数字，比如 32000。",
    "in_scope": "我没认出钱数。请写成数字，没有就说“不知道”。",
}
HINT_MONEY: Final = "我没认出钱数。请写成数字，比如 21000，没有就说“没有”。"
CHANGE: Final = "请看看单子再说一遍；前面说错了，就回“上一步”。"
TOO_LITTLE: Final = f"总费用 {{said}}，比前面说的报掉的 {{paid}} 还少。{CHANGE}"
TOO_MUCH: Final = f"{{said}} 比总费用 {{total}} 还多。{CHANGE}"
PAID_TOO_MUCH: Final = "前面说的报掉的 {paid}，比总费用 {total} 还多。请回“重新来”，再说一遍。"
SUM_TOO_MUCH: Final = (
    f"加起来比总费用多：总费用 {{total}}，前面说的报了 {{paid}}，再加 {{said}}。{CHANGE}"
)
HINT_YES_NO: Final = "请回“是”或“不是”。"
MANY_MISSES: Final = 2
MOST_MISSES: Final = 4
"""Answers in a row that are not understood, at which the estimate ends: nobody is kept in it."""
_MONEY: Final = frozenset({"basic", "serious_illness", "medical_assistance", "rare_drug"})
_SUMS: Final = _MONEY | {"total", "in_scope"}


@dataclass(frozen=True, slots=True)
class Turn:
    """What is said next. `sheet`: how the estimate goes on; None: it has ended. `understood`: the
    text was an answer or an order. `area`: what place the estimate is about. `computed`: the text
    is a result."""

    text: str
    sheet: Sheet | None
    understood: bool = True
    area: str | None = None
    computed: bool = False


class Dialogue:
    """Leads estimates, by the rules of a day. It holds nothing of any of them."""

    def __init__(self, rules: Rules, today: date) -> None:
        self._rules, self._today = rules, today
        self._asking = Asking(rules.book, today)

    def start(self, slots: Slots, area: str | None) -> Turn:
        """The first question that what was named leaves open. `area`: the person's, if known."""
        sheet = filled(Sheet(), slots)
        if sheet.area is None and area is not None:
            sheet = structs.replace(sheet, area=area)  # known, so never asked, nor asked again
        turn = self._go_on(sheet)
        return turn if turn.sheet is None else _saying(START, turn)

    def answer(self, sheet: Sheet, heard: str, slots: Slots, area: str | None = None) -> Turn:
        """What an answer leads to: the next question, the same again, or the result. `area`: the
        registered one, if known."""
        words = slot_words()
        if orders(words.stop, heard):
            return Turn(STOPPED, None, area=sheet.area)
        if orders(words.restart, heard):
            return _saying(AGAIN, self._go_on(Sheet(area=area)))
        if orders(words.resume, heard):
            return Turn(f"{self.repeat(sheet)}\n{WAYS}", sheet, area=sheet.area)
        if orders(words.back, heard):
            turn = self._go_on(sheet.back())
            return turn if sheet.done else _saying(AT_START, turn)
        return self._take(sheet, heard, slots)

    def repeat(self, sheet: Sheet) -> str:
        """The open question once more."""
        question = self._asking.next(sheet)
        return "" if question is None else f"我们接着算。{self._asking.wording(question, sheet)}"

    def _take(self, sheet: Sheet, heard: str, slots: Slots) -> Turn:
        question = self._asking.next(sheet)
        if question is None:
            return self._go_on(sheet)
        taken = Taker(sheet, self._asking.questions(sheet), self._today).take(
            question, heard, slots
        )
        if taken is None:
            return self._misfit(sheet, question, heard) or self._again(sheet, question)
        if question in TELL and question in taken.unsure and not sheet.missed:
            missed = structs.replace(sheet, missed=1)
            return Turn(f"{TELL[question]}{self._asking.wording(question, sheet)}", missed)
        noted = self._asking.noted(question, taken)
        turn = self._go_on(filled(taken, slots))
        return _saying(noted, turn) if noted and turn.sheet is not None else turn

    def _go_on(self, sheet: Sheet) -> Turn:
        question = self._asking.next(sheet)
        if question is not None:
            return Turn(self._asking.wording(question, sheet), sheet, area=sheet.area)
        if self._asking.questions(sheet) is None:
            return self._without_policy(sheet, sheet.area or "")
        return Turn(outcome(sheet, self._rules), None, area=sheet.area, computed=True)

    def _without_policy(self, sheet: Sheet, area: str) -> Turn:
        """The end, but where places within the area have policies: then one of them is asked."""
        if places_within(area, self._rules.book):
            return Turn(not_here(area, self._rules.book), sheet.without_place(), area=area)
        name = areas.area_short_name(area) or "这个地方"
        return Turn(NO_POLICY.format(name), None, area=area)

    def _misfit(self, sheet: Sheet, question: str, heard: str) -> Turn | None:
        """What is said to a sum that is understood and cannot be; None: it is none."""
        said = amount_answered(heard) if question in _SUMS else None
        if not said:
            return None
        paid = sum(fen for layer, fen in sheet.paid.items() if layer != question)
        text = _misfitting(question, paid, sheet.total or 0)
        shown = text.format(paid=yuan(paid), total=yuan(sheet.total or 0), said=yuan(said))
        return Turn(shown, sheet, area=sheet.area)

    def _again(self, sheet: Sheet, question: str) -> Turn:
        missed = structs.replace(sheet, missed=sheet.missed + 1)
        if missed.missed >= MOST_MISSES:
            return Turn(GIVEN_UP, None, understood=False, area=sheet.area)
        hint = HINTS.get(question) or (HINT_MONEY if question in _MONEY else HINT_YES_NO)
        more = MISSED_OFTEN if missed.missed >= MANY_MISSES else ""
        return Turn(f"{hint}{more}", missed, understood=False, area=sheet.area)


def _saying(first: str, turn: Turn) -> Turn:
    return replace(turn, text=f"{first}\n{turn.text}")


def _misfitting(question: str, paid: int, total: int) -> str:
    """Why a sum cannot be, where other layers paid so much of the total."""
    if question == "total":
        return TOO_LITTLE
    if paid > total:
        return PAID_TOO_MUCH
    return SUM_TOO_MUCH if paid and question in PAYERS else TOO_MUCH
