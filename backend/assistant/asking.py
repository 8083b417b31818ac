"""问 (asking): what an estimate asks next, one thing at a time, in plain words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Final

from backend.assistant.sheet import Sheet, policy_of
from backend.assistant.wording import yuan
from backend.estimation.questions import Choice, Questions, questions_of
from backend.policies.book import PolicyBook

NOTED: Final = "记下了：{}。不对就回“上一步”。"
NOBODY: Final = "哪一类都不是"
DO_NOT_KNOW: Final = "不清楚就说“不知道”。"
FLAGS: Final[Mapping[str, str]] = {
    "referred": "是先在卫生院这样的基层医院看，再由医院转过去的吗？",
    "in_province": "是在本省的医院看的吗？",
    "in_county": "是在本县（市、区）的医院看的吗？",
    "followed_guidance": "是按医院给您定的就医指导方案看的吗？",
    "designated": "是医保定点医院吗？一般的公立医院都是。",
}
PAYERS: Final[Mapping[str, str]] = {
    "basic": "基本医保报了多少钱？结算单上写着“统筹基金支付”。没报就说“没报”。",
    "serious_illness": "大病保险报了多少钱？没有就说“没有”。",
    "medical_assistance": "医疗救助已经给了多少钱？没有就说“没有”。",
}
_FIXED: Final[Mapping[str, str]] = {
    "place": "病人的户口在哪个县（市、区）？比如“江阴”。",
    "day": "哪天出的院？门诊说看病那天。记不清日子，说几月也行，比如“今年三月”。",
    "total": "总共花了多少钱？结算单上的总费用，比如“三万二”。",
    "in_scope": "结算单上的“政策范围内费用”是多少？没有单子就说“不知道”。",
    "declined": "有没有放弃过签约家庭医生这样的基础健康服务？没有就说“没有”。",
    "rare_drug": "里面有没有罕见病特效药？有就说多少钱，没有就说“没有”。",
}
_WHO: Final = "病人属于下面哪一类？可以回数字，也可以直接说；都不是就说“都不是”。"
_SETTING: Final = "这次是怎么看的病？回数字，或直接说。"
_GROUP: Final = "得的是哪类病？回数字，或直接说。"


class Asking:
    """The questions for one place, from the policy that decides there."""

    def __init__(self, book: PolicyBook, today: date) -> None:
        self._book, self._today = book, today

    def questions(self, sheet: Sheet) -> Questions | None:
        """What the policy asks; None: the place is not known, or has no policy."""
        policy = policy_of(sheet, self._book, self._today)
        if policy is None:
            return None
        return questions_of(policy, self._book.vocabulary, sheet.day or self._today)

    def next(self, sheet: Sheet) -> str | None:
        """The code of the first question that is open; None: everything is answered."""
        if sheet.area is None:
            return "place"
        questions = self.questions(sheet)
        if questions is None:
            return None
        return next((one for one in _codes(questions, sheet) if one not in sheet.done), None)

    def noted(self, question: str, sheet: Sheet) -> str:
        """What was chosen of a list, read back; `""`: nothing was."""
        questions = self.questions(sheet)
        if questions is None or question not in _CHOICES or question in sheet.unsure:
            return ""
        if question == "who":
            words, on = self._book.vocabulary, sheet.day or self._today
            names = [words.category_name(code, on) for code in sheet.categories]
            return NOTED.format("、".join(names) or NOBODY)
        held = (sheet.setting, sheet.disease_group)
        chosen = (one.name for one in choices_of(question, questions) if one.code in held)
        return NOTED.format("、".join(chosen))

    def wording(self, question: str, sheet: Sheet) -> str:
        """The question as it is put."""
        questions = self.questions(sheet)
        if question == "basic" and sheet.own is not None and sheet.total is not None:
            return _own_part(sheet.total, sheet.own)
        if question in FLAGS:
            return f"{FLAGS[question]}回“是”或“不是”，{DO_NOT_KNOW}"
        if question in PAYERS:
            return PAYERS[question]
        if questions is not None and question in _CHOICES:
            return "\n".join((_CHOICES[question], *_listed(choices_of(question, questions))))
        return _FIXED[question]


_CHOICES: Final = {"who": _WHO, "setting": _SETTING, "disease_group": _GROUP}


def choices_of(question: str, questions: Questions) -> Sequence[Choice]:
    """What can be chosen by its number, from 1."""
    found: Mapping[str, Sequence[Choice]] = {
        "who": questions.every_category,
        "setting": questions.settings,
        "disease_group": questions.disease_groups,
    }
    return found[question]


def _codes(questions: Questions, sheet: Sheet) -> Iterator[str]:
    """Everything asked of this person, in order."""
    yield from ("who", "setting", "day", "total")
    yield from (payer.code for payer in questions.payers)
    yield "in_scope"
    if not sheet.categories:
        return  # no assistance is computed, so nothing hangs on the rest
    yield from (flag.code for flag in questions.flags)
    if questions.disease_groups:
        yield "disease_group"
    if questions.declined:
        yield "declined"
    if questions.rare_drug:
        yield "rare_drug"


def _listed(choices: Sequence[Choice]) -> Iterator[str]:
    for number, choice in enumerate(choices, start=1):
        hint = choice.hint.partition("、")[0] if choice.hint.startswith("也叫") else choice.hint
        yield f"{number} {choice.name}{f'（{hint}）' if hint else ''}"


def _own_part(total: int, own: int) -> str:
    paid = yuan(max(total - own, 0))
    return f"您说自己付了 {yuan(own)}，那么医保一共付了 {paid}，对吗？对就回“对”，不对请说数字。"
