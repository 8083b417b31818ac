"""待遇 (entitlements): what a category gets under a policy, in kind and in money, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from backend.policies.benefit_rows import (
    BenefitRow,
    LayerInput,
    NamedCode,
    benefit_rows,
    category_names,
    layer_inputs,
)
from backend.policies.book import PolicyBook, Vocabulary
from backend.policies.figures import Wording
from backend.policies.policy import Policy
from backend.policies.shapes import ConditionsShape, EntitlementShape, NoticeShape, ReadingShape
from backend.policies.standing import Decision, Standing, decide, standing_of

DELIVERIES: Final[Mapping[str, str]] = {
    "automatic": "不用申请，自动给",
    "invitation": "到时通知您",
    "needs_word": "您说一声就办",
    "by_certification": "先办认定，认定以后享受",
    "by_application": "需要申请",
    "referral": "由工作人员转给主管部门",
}
KINDS: Final[Mapping[str, str]] = {
    "premium_aid": "资助参保",
    "deposit_waiver": "住院免押金",
    "one_stop_settlement": "一站式结算",
    "treatment_tag": "就医标识",
    "treatment_guidance": "就医指导方案",
    "family_doctor": "家庭医生签约",
    "pairing": "结对帮扶",
    "green_channel": "就医绿色通道",
    "health_service_package": "基础健康服务",
    "health_check": "免费体检",
    "screening": "免费筛查",
    "vaccination": "免费接种",
    "basic_drugs": "免费基本药物",
    "chronic_outpatient": "门诊慢特病",
    "commercial_cover": "商业补充医疗保险",
    "mutual_aid": "医疗互助",
    "charity": "慈善救助",
    "temporary_relief": "临时救助",
    "emergency_relief": "疾病应急救助",
    "living_costs": "生活费用减免",
    "housing": "住房保障",
    "education": "教育帮扶",
    "employment": "就业帮扶",
}
"""Names of the kinds in use; a kind that a locality adds goes by its entitlement's name."""

_INSURANCE: Final = {
    "resident": "参加城乡居民医保",
    "employee": "参加职工医保",
    "elsewhere": "在外地参保",
    "none": "还没有参保",
}
_YES_OR_NO: Final[Mapping[str, tuple[str, str]]] = {
    "primary_first_visit": ("先在基层医疗机构看，再由它转诊", "没有先在基层医疗机构看"),
    "designated": ("在医保定点医药机构", "不在医保定点医药机构"),
    "locally_registered": ("本地户籍", "外地户籍"),
    "rural": ("农村居民", "城镇居民"),
}
_WITHIN: Final = {"county": "在本县（市、区）内", "city": "在本市内", "province": "在本省内"}
_SEX: Final = {"female": "女性", "male": "男性"}


@dataclass(frozen=True, slots=True)
class InKind:
    """One entitlement in kind. `conditions`: phrases, all of which must hold; `who`: categories."""

    code: str
    kind: NamedCode
    name: str
    delivery: NamedCode
    who: tuple[NamedCode, ...]
    conditions: tuple[str, ...]
    amount: str | None
    clause: str
    residents: str
    staff: str
    parameters: tuple[str, ...]
    reading: ReadingShape | None


@dataclass(frozen=True, slots=True)
class Entitled:
    """What a category gets. `notices`: other rules, or a rate that is not stated: never a zero."""

    policy: Policy
    category: NamedCode
    standing: Standing
    covered: bool
    sentence: str
    notices: tuple[NoticeShape, ...]
    in_kind: tuple[InKind, ...]
    money: tuple[BenefitRow, ...]
    inputs: tuple[LayerInput, ...]


@dataclass(frozen=True, slots=True)
class EntitlementsAsked:
    """A category, in the area or under the policy: one of the two is named."""

    category: str
    on: date
    area: str | None = None
    policy: str | None = None


@dataclass(frozen=True, slots=True)
class EntitlementsFound:
    """What was asked for. `decision`: for an area; `entitled`: None where no policy decides."""

    on: date
    category: NamedCode
    decision: Decision | None
    entitled: Entitled | None


def find_entitlements(book: PolicyBook, asked: EntitlementsAsked) -> EntitlementsFound:
    """What the category gets. Raises `UnknownArea`, `UnknownPolicy`."""
    category, on, words = asked.category, asked.on, book.vocabulary
    named = NamedCode(category, words.category_name(category, on))
    if asked.area is not None:
        return EntitlementsFound(on, named, *entitlements_in_area(book, asked.area, category, on))
    policy = book.policy(asked.policy or "")
    return EntitlementsFound(on, named, None, entitlements_of(policy, category, words, on))


def entitlements_in_kind(policy: Policy, vocabulary: Vocabulary, day: date) -> tuple[InKind, ...]:
    """Every entitlement in kind of the policy, in the order of the catalogue."""
    words = Wording(policy, day)
    return tuple(_in_kind(shape, words, vocabulary, day) for shape in policy.entitlements)


def entitlements_of(policy: Policy, category: str, vocabulary: Vocabulary, day: date) -> Entitled:
    """What `category`, a code of the vocabulary, gets under the policy with the day's figures."""
    name = vocabulary.category_name(category, day)
    covered = category in policy.document.beneficiaries
    notices = tuple(n for n in policy.document.notices if category in n.categories)
    in_kind = entitlements_in_kind(policy, vocabulary, day)
    money = benefit_rows(policy, vocabulary, day)
    return Entitled(
        policy=policy,
        category=NamedCode(category, name),
        standing=standing_of(policy, day),
        covered=covered,
        sentence=_sentence(name, covered, notices),
        notices=notices,
        in_kind=tuple(one for one in in_kind if _names(one.who, category)),
        money=tuple(row for row in money if _names(row.categories, category)),
        inputs=layer_inputs(policy, vocabulary) if covered else (),
    )


def entitlements_in_area(
    book: PolicyBook, area: str, category: str, day: date
) -> tuple[Decision, Entitled | None]:
    """What the policy that decides in the area gives, None where none. Raises `UnknownArea`."""
    decision = decide(book, area, day)
    if decision.decides is None:
        return decision, None
    return decision, entitlements_of(decision.decides, category, book.vocabulary, day)


def conditions_in_words(
    conditions: ConditionsShape, words: Wording, vocabulary: Vocabulary
) -> Iterator[str]:
    """The conditions as phrases; none where everyone of the categories is meant."""
    if conditions.insurance:
        yield "或者".join(_INSURANCE[code] for code in conditions.insurance)
    if conditions.settings:
        yield "只限" + "、".join(vocabulary.settings[code] for code in conditions.settings)
    for flag in conditions.flags:
        yield vocabulary.flags[flag]
    for attribute, phrases in _YES_OR_NO.items():
        stated = getattr(conditions, attribute)
        if stated is not None:
            yield phrases[0] if stated else phrases[1]
    if conditions.within:
        yield _WITHIN[conditions.within]
    yield from _of_the_person(conditions, words)
    if conditions.note:
        yield conditions.note.rstrip("。")
    if conditions.person_decides:
        yield "由工作人员判断"


def _of_the_person(conditions: ConditionsShape, words: Wording) -> Iterator[str]:
    if conditions.sex:
        yield _SEX[conditions.sex]
    for code, ending in ((conditions.age_from, "以上"), (conditions.age_to, "以下")):
        figure = words.figure(code) if code else None
        if figure is not None:
            yield f"{figure.text}及{ending}"


def _in_kind(shape: EntitlementShape, words: Wording, vocabulary: Vocabulary, day: date) -> InKind:
    policy = words.policy
    everyone = policy.document.beneficiaries
    codes = everyone if shape.categories == "all" else shape.categories
    return InKind(
        code=shape.code,
        kind=NamedCode(shape.kind, KINDS.get(shape.kind, shape.name)),
        name=shape.name,
        delivery=NamedCode(shape.delivery, DELIVERIES[shape.delivery]),
        who=category_names(codes, vocabulary, day),
        conditions=tuple(conditions_in_words(shape.conditions, words, vocabulary)),
        amount=_amount(shape.amount, words) if shape.amount else None,
        clause=shape.clause,
        residents=shape.residents,
        staff=shape.staff,
        parameters=tuple(shape.parameters),
        reading=policy.readings[shape.reading] if shape.reading else None,
    )


def _amount(code: str, words: Wording) -> str:
    return f"{words.policy.parameters[code].shape.name}：{words.text(code)}"


def _sentence(name: str, covered: bool, notices: tuple[NoticeShape, ...]) -> str:
    if covered and not notices:
        return f"{name}是这份政策的救助对象。"
    if covered:
        return f"{name}是这份政策的救助对象，但另有说明，请看提示。"
    if any(notice.kind == "rate_not_stated" for notice in notices):
        return f"这份政策没有写{name}救助多少，这不等于没有，请看提示。"
    if notices:
        return f"{name}另有规定，这份政策的比例和限额不适用，请看提示。"
    return f"这份政策没有把{name}列为救助对象。如果同时有别的困难身份，请按那个身份查询。"


def _names(codes: tuple[NamedCode, ...], category: str) -> bool:
    return any(one.code == category for one in codes)
