"""政策对照 (comparison): two policies side by side, row by row, with the figures of a day."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from backend.kernel import areas
from backend.policies.benefit_rows import BenefitRow, benefit_rows
from backend.policies.book import Vocabulary
from backend.policies.description import service_rules
from backend.policies.entitlements import InKind, entitlements_in_kind
from backend.policies.policy import Policy
from backend.policies.standing import Standing, span_in_words, standing_of

NOT_STATED: Final = "没有规定"
MEDICAL_ASSISTANCE: Final = "medical_assistance"

SECTIONS: Final[Mapping[str, str]] = {
    "document": "文件和效力",
    "medical_assistance": "医疗救助",
    "layers": "其他支付",
    "entitlements": "钱以外的待遇",
    "deadlines": "时限",
}
_SECTIONS: Final = tuple(SECTIONS)
_ASPECTS: Final[tuple[tuple[str, str, Callable[[BenefitRow], str]], ...]] = (
    ("deductible", "起付线", lambda row: row.deductible),
    ("rate", "比例", lambda row: row.rate),
    ("limits", "年度限额", lambda row: "；".join(row.limits)),
    ("covers", "哪些费用", lambda row: "；".join(row.covers) or "全部政策范围内费用"),
)


@dataclass(frozen=True, slots=True)
class Side:
    """What one policy says, and in which clauses."""

    text: str
    clauses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ComparedRow:
    """One row. `code`: stable, dotted; `same`: both sides say the same in the same words."""

    section: str
    code: str
    name: str
    left: Side
    right: Side

    @property
    def same(self) -> bool:
        """Whether the texts agree; the clauses may differ."""
        return self.left.text == self.right.text


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two policies on a day, and the rows in the same order whichever stands left."""

    left: Standing
    right: Standing
    rows: tuple[ComparedRow, ...]


@dataclass(frozen=True, slots=True, order=True)
class _Key:
    """Where a row stands: section, place in the section's order, aspect; then its code."""

    section: int
    place: int
    aspect: int
    code: str


_Fact = tuple[_Key, tuple[str, Side]]
"""A row's key, with its name and what the policy says."""


def compare_policies(left: Policy, right: Policy, vocabulary: Vocabulary, day: date) -> Comparison:
    """Every row on which either policy says something; swapping them swaps only the sides."""
    sides = _Gatherer(left, vocabulary, day), _Gatherer(right, vocabulary, day)
    names: dict[_Key, str] = {}
    for gatherer in sorted(sides, key=lambda one: one.policy.id):
        for key, (name, _) in gatherer.facts.items():
            names.setdefault(key, name)
    rows = [
        ComparedRow(_SECTIONS[key.section], key.code, names[key], *(s.side(key) for s in sides))
        for key in sorted(names)
    ]
    return Comparison(standing_of(left, day), standing_of(right, day), tuple(rows))


class _Gatherer:
    def __init__(self, policy: Policy, vocabulary: Vocabulary, day: date) -> None:
        self.policy = policy
        self.vocabulary = vocabulary
        self.day = day
        self.rows = [row for row in benefit_rows(policy, vocabulary, day) if row.categories]
        self.facts: Mapping[_Key, tuple[str, Side]] = dict(self.gather())

    def gather(self) -> Iterator[_Fact]:
        yield from self.document()
        yield from self.categories()
        yield from self.layers()
        yield from self.in_kind()
        yield from self.deadlines()

    def side(self, key: _Key) -> Side:
        """What the policy says on a row, or that it says nothing."""
        return self.facts[key][1] if key in self.facts else self.silent(key)

    # -- the document ------------------------------------------------------------------------

    def document(self) -> Iterator[_Fact]:
        document = self.policy.document
        area = self.policy.area
        lines = (
            ("title", "名称", document.title),
            ("number", "文号", document.number or NOT_STATED),
            ("issuer", "发文机关", document.issuer or NOT_STATED),
            ("area", "适用地区", (areas.area_name(area) if area else None) or "采用它的地方"),
            ("in_force", "施行期", span_in_words(self.policy)),
            ("state", "这一天的效力", standing_of(self.policy, self.day).sentence),
        )
        for place, (code, name, text) in enumerate(lines):
            yield _Key(0, place, 0, f"document.{code}"), (name, Side(text))

    # -- medical assistance, by category -----------------------------------------------------

    def categories(self) -> Iterator[_Fact]:
        document = self.policy.document
        noticed = {code for notice in document.notices for code in notice.categories}
        for place, code in enumerate(self.vocabulary.categories):
            rows = [row for row in self.rows if _gives(row, code)]
            if not rows and code not in noticed and code not in document.beneficiaries:
                continue
            name = self.vocabulary.category_name(code, self.day)
            for number, (aspect, title, words) in enumerate(_ASPECTS):
                key = _Key(1, place, number, f"{MEDICAL_ASSISTANCE}.{code}.{aspect}")
                if rows:
                    yield key, (f"{name}：{title}", _said(rows, words))
                elif aspect == "rate":
                    yield key, (f"{name}：{title}", self.without_row(code))

    def without_row(self, category: str) -> Side:
        """What holds for a category that the table of medical assistance does not have."""
        for notice in self.policy.document.notices:
            if category in notice.categories:
                words = {"other_rules": "另有规定", "rate_not_stated": "没有写比例"}[notice.kind]
                return Side(words, (notice.clause,))
        if category not in self.policy.document.beneficiaries:
            return Side("没有列为救助对象")
        return Side(self.policy.benefits.inputs.get(MEDICAL_ASSISTANCE, NOT_STATED))

    # -- the other layers --------------------------------------------------------------------

    def layers(self) -> Iterator[_Fact]:
        for place, (code, name) in enumerate(self.vocabulary.layers.items()):
            rows = [row for row in self.rows if row.layer.code == code]
            if code == MEDICAL_ASSISTANCE:
                continue
            for number, (aspect, title, words) in enumerate(_ASPECTS if rows else ()):
                key = _Key(2, place, number + 1, f"{code}.{aspect}")
                yield key, (f"{name}：{title}", _said(rows, words))
            basis = Side("按文件的规定计算", _clauses(rows)) if rows else self.input_of(code)
            if basis is not None:
                yield _Key(2, place, 0, f"{code}.basis"), (f"{name}：怎么算", basis)

    def input_of(self, layer: str) -> Side | None:
        sentence = self.policy.benefits.inputs.get(layer)
        return None if sentence is None else Side(sentence)

    # -- in kind, deadlines ------------------------------------------------------------------

    def in_kind(self) -> Iterator[_Fact]:
        kinds: dict[str, list[InKind]] = {}
        for one in entitlements_in_kind(self.policy, self.vocabulary, self.day):
            kinds.setdefault(one.kind.code, []).append(one)
        for code, found in kinds.items():
            place = 0 if code == "premium_aid" else 1
            text = "；".join(self.in_short(one) for one in found)
            side = Side(text, tuple(dict.fromkeys(one.clause for one in found)))
            yield _Key(3, place, 0, f"entitlements.{code}"), (found[0].kind.name, side)

    def in_short(self, one: InKind) -> str:
        """`全额资助参保，100%（特困人员、…；参加城乡居民医保）：不用申请，自动给`."""
        everyone = len(one.who) == len(self.policy.document.beneficiaries)
        who = "全部救助对象" if everyone else "、".join(code.name for code in one.who)
        amount = f"，{one.amount}" if one.amount else ""
        return f"{one.name}{amount}（{'；'.join((who, *one.conditions))}）：{one.delivery.name}"

    def deadlines(self) -> Iterator[_Fact]:
        for rule in service_rules(self.policy, self.day):
            shape = rule.shape
            if shape.kind == "deadline" or shape.deadline is not None:
                side = Side(rule.deadline or shape.residents, (shape.clause,))
                yield _Key(4, 0, 0, f"deadlines.{shape.code}"), (shape.name, side)

    def silent(self, key: _Key) -> Side:
        """What the policy says on a row that only the other has."""
        section, code = _SECTIONS[key.section], key.code.split(".")
        if section == "medical_assistance":
            return self.without_row(code[1])
        if section == "layers":
            return self.input_of(code[0]) or Side(NOT_STATED)
        return Side(NOT_STATED)


def _gives(row: BenefitRow, category: str) -> bool:
    named = any(one.code == category for one in row.categories)
    return named and row.layer.code == MEDICAL_ASSISTANCE


def _said(rows: list[BenefitRow], words: Callable[[BenefitRow], str]) -> Side:
    """What the rows say: once where they agree, else each with its table and people."""
    texts = {words(row) for row in rows}
    if len(texts) == 1:
        return Side(texts.pop(), _clauses(rows))
    said: dict[str, list[str]] = {}
    for row in rows:
        said.setdefault(words(row), []).append(f"{row.table}·{row.who}")
    parts = (f"{'、'.join(who)}：{text}" for text, who in said.items())
    return Side("；".join(parts), _clauses(rows))


def _clauses(rows: list[BenefitRow]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(row.clause for row in rows))
