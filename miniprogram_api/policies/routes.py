"""Looking policies up: all of it public, the same for everyone, by the figures of a day."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from flask import Response

from backend.policies.book import UnknownPolicy
from backend.policies.changes import changes_in_area, changes_of
from backend.policies.comparison import compare_policies
from backend.policies.description import UnknownClause, describe_clause, describe_policy
from backend.policies.entitlements import EntitlementsAsked, find_entitlements
from backend.policies.standing import decide, places, standing_of
from miniprogram_api.access import access
from miniprogram_api.openapi import Blueprint
from miniprogram_api.policies import queries
from miniprogram_api.policies.answering import answers, asked, respond
from miniprogram_api.policies.description_schemas import CLAUSE, ENTITLEMENTS_ANSWER, POLICY
from miniprogram_api.policies.schemas import (
    CHANGES_ANSWER,
    COMPARISON,
    PLACES,
    POLICIES_ANSWER,
    VOCABULARY,
)
from miniprogram_api.policies.terms import terms_on

policies = Blueprint("policies", __name__, title="政策查询")

Query = Mapping[str, Any]
POLICY_ID: Final = "政策编号，如 wuxi-2022-98"


@policies.route(
    "/policies",
    summary="有哪些政策，某地某天按哪份办",
    description=(
        "不填地区时列出全部政策；填了地区，说明这一天按哪份政策办，以及有关的政策各是什么效力。"
        "户口在县里的，先看县里自己的政策，没有的按所属的市。"
    ),
)
@access("public")
@policies.revalidates
@policies.arguments(queries.POLICIES, location="query")
@policies.response(200, POLICIES_ANSWER, description="政策和效力")
def list_policies(query: Query) -> Response:
    """All policies, or those that concern an area and which of them decides."""
    area, day = query["area"], query["on"]
    kept = answers()

    def make() -> Any:
        if area is None:
            standings = [standing_of(policy, day) for policy in kept.book.policies.values()]
            return POLICIES_ANSWER.dump({"on": day, "decision": None, "policies": standings})
        found = decide(kept.book, area, day)
        return POLICIES_ANSWER.dump({"on": day, "decision": found, "policies": found.concerning})

    with asked():
        return respond(kept.keep(("policies", area, day), make))


@policies.route(
    "/policies/<policy>",
    summary="一份政策在某一天的全部内容",
    description=(
        "条款、参数和它们的历史、各方支付的规则、待遇、经办规则和时限、解读。"
        "还没有施行的政策，待遇按施行那天的数值写。"
    ),
    path={"policy": POLICY_ID},
)
@access("public")
@policies.revalidates
@policies.arguments(queries.ON_DAY, location="query")
@policies.response(200, POLICY, description="政策的全部内容")
@policies.refuses(UnknownPolicy)
def show_policy(query: Query, policy: str) -> Response:
    """One policy as of a day."""
    day, kept = query["on"], answers()
    found = kept.book.policy(policy)

    def make() -> Any:
        return POLICY.dump(describe_policy(found, kept.book.vocabulary, day))

    return respond(kept.keep(("policy", policy, kept.moment(found, day)), make), on=day)


@policies.route(
    "/policies/<policy>/clauses/<anchor>",
    summary="一份政策的一条",
    description="条款的说明，以及写在这一条里的参数、支付规则、待遇、经办规则和解读。",
    path={"policy": POLICY_ID, "anchor": "条款，如 四(六)"},
)
@access("public")
@policies.revalidates
@policies.arguments(queries.ON_DAY, location="query")
@policies.response(200, CLAUSE, description="条款")
@policies.refuses(UnknownPolicy, UnknownClause)
def show_clause(query: Query, policy: str, anchor: str) -> Response:
    """One clause with everything that stands on it."""
    day, kept = query["on"], answers()
    found = kept.book.policy(policy)

    def make() -> Any:
        return CLAUSE.dump(describe_clause(found, anchor, kept.book.vocabulary, day))

    return respond(kept.keep(("clause", policy, anchor, kept.moment(found, day)), make), on=day)


@policies.route(
    "/policies/compare",
    summary="两份政策逐项对照",
    description="效力、每类人的医疗救助、其他支付方、钱以外的待遇、时限；没有规定的写明没有规定。",
)
@access("public")
@policies.revalidates
@policies.arguments(queries.COMPARE, location="query")
@policies.response(200, COMPARISON, description="逐项对照")
def compare(query: Query) -> Response:
    """Two policies side by side."""
    kept = answers()

    def make() -> Any:
        left = kept.book.policy(query["left"], "/left")
        right = kept.book.policy(query["right"], "/right")
        found = compare_policies(left, right, kept.book.vocabulary, query["on"])
        return COMPARISON.dump(
            {"on": query["on"], "left": found.left, "right": found.right, "rows": found.rows}
        )

    with asked():
        return respond(kept.keep(("compare", *query.values()), make))


@policies.route(
    "/policies/changes",
    summary="两天之间有什么变了",
    description="数值有变化的参数，开始施行或失效的政策；填了地区的，前后两天各按哪份政策办。",
)
@access("public")
@policies.revalidates
@policies.arguments(queries.CHANGES, location="query")
@policies.response(200, CHANGES_ANSWER, description="变化")
def list_changes(query: Query) -> Response:
    """What differs between two days: everywhere, in an area, or in one policy."""
    kept, days = answers(), (query["from_"], query["to"])

    def make() -> Any:
        if query["area"] is not None:
            return CHANGES_ANSWER.dump(changes_in_area(kept.book, query["area"], *days))
        named = query["policy"]
        chosen = kept.book.policies.values() if named is None else [kept.book.policy(named)]
        return CHANGES_ANSWER.dump(changes_of(chosen, *days))

    with asked():
        return respond(kept.keep(("changes", *days, query["area"], query["policy"]), make))


@policies.route(
    "/entitlements",
    summary="一类人在某地有哪些待遇",
    description="钱的待遇和钱以外的待遇，怎样得到，有什么条件。地区和政策填一个。",
)
@access("public")
@policies.revalidates
@policies.arguments(queries.ENTITLEMENTS, location="query")
@policies.response(200, ENTITLEMENTS_ANSWER, description="待遇")
def list_entitlements(query: Query) -> Response:
    """What a category gets in an area, or under a policy."""
    kept, question = answers(), EntitlementsAsked(**query)

    def make() -> Any:
        return ENTITLEMENTS_ANSWER.dump(find_entitlements(kept.book, question))

    with asked():
        return respond(kept.keep(question, make))


@policies.route("/areas", summary="哪些地区有政策")
@access("public")
@policies.revalidates
@policies.response(200, PLACES, description="有政策的地区")
def list_areas() -> Response:
    """The areas that have policies of their own, or adopted ones."""
    kept = answers()
    return respond(kept.keep("areas", lambda: PLACES.dump({"areas": places(kept.book)})))


@policies.route(
    "/vocabulary",
    summary="代码和它们的名称",
    description="人员类别、就医方式、支付方、病种分组、结算单上的情况、部门。名称按这一天的叫法。",
)
@access("public")
@policies.revalidates
@policies.arguments(queries.ON_DAY, location="query")
@policies.response(200, VOCABULARY, description="代码和名称")
def show_vocabulary(query: Query) -> Response:
    """The codes that every policy shares."""
    kept, day = answers(), query["on"]

    def make() -> Any:
        return VOCABULARY.dump(terms_on(kept.book, day))

    return respond(kept.keep(("vocabulary", day), make))
