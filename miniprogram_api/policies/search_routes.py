"""Searching the policies, in people's own words."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify

from backend.policies.search.find import Search, find_clauses
from miniprogram_api.access import access
from miniprogram_api.openapi import Blueprint
from miniprogram_api.policies.answering import asked
from miniprogram_api.policies.search_schemas import FOUND, SEARCH
from miniprogram_api.rulebook import rules

search = Blueprint("search", __name__, title="政策搜索")


@search.route(
    "/search",
    summary="用平常的话查政策",
    description=(
        "在条款、参数、待遇、经办规则里找，平常的说法和文件的说法都能对上，繁体和错字也能认。"
        "填了地区的，查这一天在那里施行的政策，没有施行的就查和那里有关的政策；"
        "都不填时，问话里写了地名的，那里的政策排在前面。没有找到时 hits 为空，advice 说明怎么办。"
    ),
)
@access("public")
@search.arguments(SEARCH, location="query")
@search.response(200, FOUND, description="找到的条款")
def search_policies(sought: Search) -> Response:
    """The clauses that answer a question, best first."""
    with asked():
        found: dict[str, Any] = FOUND.dump(find_clauses(rules().book, sought))
    return jsonify(found)
