"""The access matrix: every route × every account × every relation of area and ownership.

Generated from the URL map and judged by `tests/cases/access.yaml`, which is written apart from the
code. Who may not gets 401, 403, or 404 where the object is not theirs; nothing changes; who is signed
in leaves a row in the audit. "Not yours" and "does not exist" are the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine, text

from backend.accounts.staff_tables import ROLES
from backend.kernel import database as kernel_database
from backend.kernel.crypto import Keyring
from backend.kernel.settings import Settings
from miniprogram_api import access
from miniprogram_api.app import create_app
from tests.support.access_matrix import TABLE, Asker, Route, routes
from tests.support.access_world import (
    INSIDE,
    LEVELS,
    OUTSIDE,
    UNKNOWN,
    build,
    content,
    denials,
)
from tests.support.refusals import plain

ABSENT = (404,)
REFUSED = (401, 403)


class Matrix(Asker):
    """The whole of it: every route × every account × every object."""

    def wrong_cells(self, only: str = "") -> list[str]:
        """Every cell that is not as declared; only of routes whose name contains the word."""
        chosen = [route for route in routes(self.app) if only in route.name]
        return [wrong for route in chosen for wrong in self._wrong(route)]

    def _wrong(self, route: Route) -> Iterator[str]:
        if route.name not in TABLE:
            yield f"{route.name}: no row in the table"
            return
        if route.row["who"] == "wechat":  # its view looks at a signature, tested there
            return
        yield from self._wrong_refusals(route)
        for who in (*OUTSIDE, *INSIDE) if route.open else INSIDE:
            if who in route.allowed and not route.row.get("ends"):
                yield from self._wrong_objects(route, who)

    def _wrong_refusals(self, route: Route) -> Iterator[str]:
        """Who may not call it at all."""
        outside = [who for who in (*OUTSIDE, *INSIDE) if who not in route.allowed]
        before, written = content(self.world.engine), denials(self.world.engine)
        for who in outside:
            answer = self.ask(route, who)
            if not _refused(route, who, answer):
                yield f"{route.name} as {who}: {answer.status_code}"
        if outside and content(self.world.engine) != before:
            yield f"{route.name}: a refused call changed something"
        expected = sum(who in INSIDE for who in outside)
        if (found := denials(self.world.engine) - written) != expected:
            yield f"{route.name}: {found} refusals written down, not {expected}"

    def _wrong_objects(self, route: Route, who: str) -> Iterator[str]:
        """Who may call it, for each object."""
        of = route.row.get("of") or {}
        if not of:
            yield from self._wrong_plain(route, who)
            return
        ((variable, kind),) = of.items()
        found = self.world.kinds[kind]
        seen = found.seen.get(who, frozenset())
        hidden = {relation: own for relation, own in found.ids.items() if relation not in seen}
        yield from self._wrong_hidden(route, who, variable, hidden)
        for relation in (one for one in found.ids if one in seen):
            answer = self.ask(route, who, {variable: found.ids[relation]})
            if not _let_in(route, answer.status_code, (*REFUSED, *ABSENT)):
                yield f"{route.name} as {who} of {relation}: {answer.status_code}"

    def _wrong_hidden(
        self, route: Route, who: str, variable: str, hidden: Mapping[str, int]
    ) -> Iterator[str]:
        """Who may call it, for objects that are not theirs: all asked for, then what has changed."""
        unknown = self.ask(route, who, {variable: UNKNOWN})
        before, written = content(self.world.engine), denials(self.world.engine)
        for relation, own in hidden.items():
            answer = self.ask(route, who, {variable: own})
            same = plain(answer, own) == plain(unknown, UNKNOWN)
            if answer.status_code not in ABSENT or not same:
                yield f"{route.name} as {who} of {relation}: {answer.status_code}, not as unknown"
        changed = content(self.world.engine) != before
        if changed or denials(self.world.engine) != written + len(hidden):
            yield f"{route.name} as {who}: one of {len(hidden)} changed something or is not audited"

    def _wrong_plain(self, route: Route, who: str) -> Iterator[str]:
        status = self.ask(route, who).status_code
        if not _let_in(route, status, REFUSED):
            yield f"{route.name} as {who}: {status}, though allowed"


def _let_in(route: Route, status: int, refusals: tuple[int, ...]) -> bool:
    """Whether somebody got as far as the deed. `answers`: what it may refuse by itself."""
    return status < 500 and (status not in refusals or status in route.row.get("answers", ()))


def _refused(route: Route, who: str, answer: Any) -> bool:
    if who in INSIDE:
        return bool(answer.status_code == 403)
    if route.page:
        return bool((answer.status_code, answer.location) == (303, "/staff"))
    return bool(answer.status_code == 401)


@pytest.fixture
def matrix(database: Engine, app_database: Engine, tmp_path: Path) -> Matrix:
    keyring = Keyring.open_or_create(tmp_path / "keys.json")
    folders = {"keys": tmp_path / "keys.json", "papers": tmp_path / "papers"}
    settings = Settings(**folders, account_requests=1_000_000)
    with kernel_database.bound(database):
        app = create_app(settings)
        return Matrix(app, app_database, build(database, keyring))


def test_every_route_has_its_row_and_every_row_its_route(matrix: Matrix) -> None:
    assert {route.name for route in routes(matrix.app)} == set(TABLE)


def test_every_cell_is_as_declared(matrix: Matrix) -> None:
    assert "\n".join(matrix.wrong_cells()) == ""


def test_what_the_code_declares_is_what_the_table_says(matrix: Matrix) -> None:
    declared = access.table(matrix.app)
    for route in routes(matrix.app):
        wanted = declared[route.rule.endpoint]
        assert wanted is not None
        assert _accounts(wanted) == route.allowed, route.name


def test_a_role_too_many_in_the_code_is_found(matrix: Matrix) -> None:
    view = matrix.app.view_functions["people.confirm_person"]
    before = access.declared(view)
    try:
        for opened in (access.Access("staff"), access.Access("staff", roles=("county_officer",))):
            view.shukun_access = opened  # type: ignore[attr-defined]
            with pytest.raises(AssertionError, match="confirmations"):
                test_what_the_code_declares_is_what_the_table_says(matrix)
    finally:
        view.shukun_access = before  # type: ignore[attr-defined]


def _accounts(wanted: access.Access) -> frozenset[str]:
    """Those whom a declaration lets in."""
    if wanted.open:
        return frozenset((*INSIDE, *OUTSIDE))
    staff, residents = frozenset(wanted.roles or ROLES), frozenset(LEVELS[wanted.level :])
    return {"staff": staff, "resident": residents, "either": staff | residents}[wanted.who]


@pytest.mark.parametrize(
    "opened",
    [access.Access("public"), access.Access("staff"), access.Access("resident")],
    ids=lambda one: one.who,
)
def test_a_decorator_that_is_lost_is_found(matrix: Matrix, opened: access.Access) -> None:
    view = matrix.app.view_functions["runs.show_run"]
    before = access.declared(view)
    try:
        view.shukun_access = opened  # type: ignore[attr-defined]
        assert matrix.wrong_cells("GET /api/v1/runs/{run}")
    finally:
        view.shukun_access = before  # type: ignore[attr-defined]


def test_a_policy_that_is_lost_is_found(matrix: Matrix, database: Engine) -> None:
    with database.begin() as connection:
        connection.execute(text("ALTER TABLE match_run DISABLE ROW LEVEL SECURITY"))
    wrong = matrix.wrong_cells("GET /api/v1/runs/{run}")
    assert any("next province" in one for one in wrong)


def test_a_refusal_that_is_not_written_down_is_found(matrix: Matrix) -> None:
    hooks = matrix.app.after_request_funcs[None]
    hooks[:] = [hook for hook in hooks if hook.__name__ != "_note_refusal"]
    assert any("written down" in one for one in matrix.wrong_cells("GET /api/v1/runs"))


def test_a_route_without_a_row_is_found(matrix: Matrix) -> None:
    @access.access("staff")
    def new() -> str:
        return "new"

    matrix.app.add_url_rule = Flask.add_url_rule.__get__(matrix.app)  # type: ignore[method-assign]
    matrix.app._got_first_request = False
    matrix.app.add_url_rule("/api/v1/new", "new", new)
    assert matrix.wrong_cells("/api/v1/new") == ["GET /api/v1/new: no row in the table"]
