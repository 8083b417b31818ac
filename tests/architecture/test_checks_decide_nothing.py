"""Checks are read by who decides; nothing that decides depends on them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.kernel.settings import PROJECT

APPLICATIONS = PROJECT / "backend" / "applications"
CHECKS = {f"backend.applications.{path.stem}" for path in APPLICATIONS.glob("check*.py")}
SHOWN_BY = {
    "miniprogram_api/applications/check_schemas.py",
    "miniprogram_api/applications/desk_routes.py",
}
"""Who shows them over HTTP."""
ASKED = "checks_of"
"""By nobody but the route of its own."""


def imported(source: str) -> Iterator[str]:
    """Every module that a source imports, whole or by names, inside functions too."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def depending(root: Path) -> set[str]:
    """The modules below the folder that import a module of the checks, but those themselves."""
    return {
        str(path.relative_to(PROJECT))
        for path in root.rglob("*.py")
        if CHECKS.intersection(imported(path.read_text(encoding="utf-8")))
        and not (path.parent == APPLICATIONS and path.name.startswith("check"))
    }


def callers(source: str) -> set[str]:
    """The functions that ask for checks."""
    return {
        function.name
        for function in ast.walk(ast.parse(source))
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Name) and node.id.startswith(ASKED)
    }


def test_the_modules_of_the_checks_are_known() -> None:
    assert "backend.applications.checks" in CHECKS
    assert "backend.applications.check_rules" in CHECKS


def test_nothing_of_the_domain_depends_on_checks() -> None:
    assert depending(PROJECT / "backend") == set()


def test_the_routes_that_show_them_alone_import_them() -> None:
    assert depending(PROJECT / "miniprogram_api") == SHOWN_BY


def test_no_route_but_their_own_asks_for_them() -> None:
    found = {
        path: callers((PROJECT / path).read_text(encoding="utf-8")) for path in sorted(SHOWN_BY)
    }
    assert found == {
        "miniprogram_api/applications/check_schemas.py": set(),
        "miniprogram_api/applications/desk_routes.py": {"show_checks"},
    }


@pytest.mark.parametrize(
    "source",
    [
        "from backend.applications.checks import checks_of",
        "from backend.applications import checks",
        "import backend.applications.check_facts",
        "def decide():\n    from backend.applications import check_rules as rules",
    ],
)
def test_a_deed_that_depended_on_them_would_be_seen(source: str) -> None:
    """The control."""
    assert CHECKS.intersection(imported(source))
