from __future__ import annotations

import importlib
import pkgutil
import re
from typing import Any

import pytest
from flask import Flask

import backend
from backend.kernel.errors import DomainError
from backend.kernel.settings import PROJECT, Settings
from miniprogram_api import access, problems
from miniprogram_api.app import create_app
from miniprogram_api.document import text


@pytest.fixture(scope="module")
def app() -> Flask:
    return create_app(Settings())


def domain_errors(kind: type[DomainError] = DomainError) -> set[type[DomainError]]:
    found = {one for sub in kind.__subclasses__() for one in {sub, *domain_errors(sub)}}
    return {one for one in found if one.__module__.startswith("backend.")}


def operations(app: Flask) -> dict[str, dict[str, Any]]:
    paths = app.extensions["openapi"]()["paths"]
    return {
        f"{method.upper()} {path}": operation
        for path, item in paths.items()
        for method, operation in item.items()
        if method != "parameters"
    }


def test_every_route_declares_who_may_call_it(app: Flask) -> None:
    table = access.table(app)
    assert table
    assert [endpoint for endpoint, level in table.items() if level is None] == []


def test_the_api_lives_under_one_prefix_and_is_documented(app: Flask) -> None:
    documented = set(app.extensions["openapi"]()["paths"])
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/api/"):
            assert rule.rule.startswith("/api/v1/")
            assert as_openapi(rule.rule) in documented


def test_every_domain_error_has_a_problem_and_every_problem_an_error() -> None:
    for module in pkgutil.walk_packages(backend.__path__, "backend."):
        importlib.import_module(module.name)
    codes = {error.code for error in domain_errors() if "code" in vars(error)}
    assert codes == set(problems.DOMAIN)
    assert not [error for error in domain_errors() if not hasattr(error, "code")]


def test_problem_titles_and_advice_are_in_chinese() -> None:
    for problem in problems.every_problem().values():
        assert 400 <= problem.status < 600
        assert not problem.title.isascii()
        assert not problem.advice.isascii()


def test_every_operation_is_told_in_chinese_under_a_name_of_its_own(app: Flask) -> None:
    every = operations(app)
    assert every
    for name, operation in every.items():
        assert not operation["summary"].isascii(), name
    names = [operation["operationId"] for operation in every.values()]
    assert len(names) == len(set(names))


def test_the_committed_document_is_the_one_served() -> None:
    committed = (PROJECT / "docs" / "openapi.json").read_text(encoding="utf-8")
    assert committed == text(), "run script/openapi"


def as_openapi(rule: str) -> str:
    return re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule)
