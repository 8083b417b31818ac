"""政策页 (policy pages): policies by place and day, one policy, one clause, two side by side."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Final, TypeVar

from flask import Blueprint, render_template, request

from backend.policies.benefit_rows import BenefitRow, NamedCode
from backend.policies.comparison import ComparedRow, compare_policies
from backend.policies.description import ServiceRule, describe_clause, describe_policy
from backend.policies.policy import Policy
from backend.policies.standing import STATES, decide, standing_of
from miniprogram_api.access import access
from miniprogram_api.pages.day_asked import day_asked, status_of
from miniprogram_api.pages.home import places_shown
from miniprogram_api.pages.missing import say_what_is_missing
from miniprogram_api.rulebook import rules

policy_pages = Blueprint("policy_pages", __name__)
say_what_is_missing(policy_pages)

Page = tuple[str, int]
T = TypeVar("T")

SECTIONS: Final = {
    "document": "文件",
    "medical_assistance": "医疗救助：各类人能报多少",
    "layers": "其他各项",
    "entitlements": "不用花钱的待遇",
    "deadlines": "办事时限",
}
FOR_RESIDENTS: Final = ("procedure", "deadline")
"""Kinds of service rules that residents act on; the others are duties of offices."""


@policy_pages.get("/policies")
@access("public")
def policies() -> Page:
    """Which policy decides in a place on a day, or all there are."""
    day, sheet = day_asked()
    book, area = rules().book, sheet.text("area") or None
    decision = None if area is None else decide(book, area, day)
    standings = [standing_of(policy, day) for policy in book.policies.values()]
    found = standings if decision is None else decision.concerning
    text = render_template(
        "policies.html", sheet=sheet, day=day, decision=decision, standings=found,
        places=places_shown(book), states=STATES,
    )  # fmt: skip
    return text, status_of(sheet)


@policy_pages.get("/policies/<policy_id>")
@access("public")
def policy(policy_id: str) -> Page:
    """One policy as of a day."""
    day, sheet = day_asked()
    book = rules().book
    found = describe_policy(book.policy(policy_id), book.vocabulary, day)
    text = render_template(
        "policy.html", sheet=sheet, day=day, found=found, states=STATES,
        layers=by_layer(found.layers), services=by_reader(found.services),
        others=_others(book.policies.values(), found.policy),
    )  # fmt: skip
    return text, status_of(sheet)


@policy_pages.get("/policies/<policy_id>/<anchor>")
@access("public")
def clause(policy_id: str, anchor: str) -> Page:
    """One clause, and everything that stands on it."""
    day, sheet = day_asked()
    book = rules().book
    found = describe_clause(book.policy(policy_id), anchor, book.vocabulary, day)
    text = render_template(
        "clause.html", day=day, found=found, states=STATES, layers=by_layer(found.layers),
        around=neighbours(list(found.policy.clauses), anchor),
    )  # fmt: skip
    return text, status_of(sheet)


@policy_pages.get("/compare")
@access("public")
def compare() -> Page:
    """Two policies side by side; without two, which are to be compared."""
    day, sheet = day_asked()
    book = rules().book
    left, right = (request.args.get(name) for name in ("left", "right"))
    compared = None
    if left and right:
        compared = compare_policies(book.policy(left), book.policy(right), book.vocabulary, day)
    text = render_template(
        "compare.html", sheet=sheet, day=day, compared=compared, policies=book.policies.values(),
        sections=by_section(compared.rows) if compared else (),
        left=name_of(compared.left.policy) if compared else None,
        right=name_of(compared.right.policy) if compared else None,
    )  # fmt: skip
    return text, status_of(sheet)


def by_layer(rows: Iterable[BenefitRow]) -> list[tuple[NamedCode, list[BenefitRow]]]:
    """The rows of each layer, in the order of payment."""
    return [(layer, list(group)) for layer, group in groupby(rows, lambda row: row.layer)]


def by_section(rows: Iterable[ComparedRow]) -> list[tuple[str, list[ComparedRow]]]:
    """The rows of each section under its title."""
    return [(SECTIONS[name], list(group)) for name, group in groupby(rows, lambda row: row.section)]


def by_reader(rules: Iterable[ServiceRule]) -> tuple[list[ServiceRule], list[ServiceRule]]:
    """Rules that residents act on, then the others."""
    every = list(rules)
    own = [rule for rule in every if rule.shape.kind in FOR_RESIDENTS]
    return own, [rule for rule in every if rule not in own]


def neighbours(anchors: list[str], anchor: str) -> tuple[str | None, str | None]:
    """The clauses before and after."""
    place = anchors.index(anchor)
    before = anchors[place - 1] if place else None
    return before, anchors[place + 1] if place + 1 < len(anchors) else None


def name_of(policy: Policy) -> str:
    """The shortest name that tells policies apart: the place, else the title."""
    document = policy.document
    return document.area.name if document.area else f"《{document.short_title}》"


def _others(policies: Iterable[Policy], policy: Policy) -> list[Policy]:
    return [one for one in policies if one is not policy]
