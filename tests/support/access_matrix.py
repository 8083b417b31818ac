"""The routes of the application as the table of access names them, and somebody who asks them all."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Flask
from sqlalchemy import Engine
from werkzeug.routing import Rule

from backend.accounts.staff_tables import ROLES
from backend.kernel import database as kernel_database
from backend.kernel.settings import PROJECT
from miniprogram_api.credentials import COOKIE
from tests.support.access_world import INSIDE, LEVELS, OUTSIDE, UNKNOWN, World
from tests.support.from_yaml import from_yaml

TABLE: dict[str, dict[str, Any]] = from_yaml(PROJECT / "tests" / "cases" / "access.yaml")
VARIABLE = re.compile(r"<(?:([^:<>]+):)?([^<>]+)>")


@dataclass(frozen=True)
class Route:
    """One method on one rule, as the table names it."""

    name: str
    method: str
    rule: Rule

    @property
    def page(self) -> bool:
        return not self.rule.rule.startswith("/api/")

    @property
    def row(self) -> Mapping[str, Any]:
        return TABLE[self.name]

    @property
    def allowed(self) -> frozenset[str]:
        """The accounts that may call it."""
        who = self.row["who"]
        if who in ("public", "wechat"):
            return frozenset((*INSIDE, *OUTSIDE))
        return frozenset(
            one for word in ([who] if isinstance(who, str) else who) for one in _accounts(word)
        )

    @property
    def open(self) -> bool:
        return self.row["who"] in ("public", "wechat")


def _accounts(word: str) -> tuple[str, ...]:
    if word == "staff":
        return ROLES
    if word.startswith("resident"):
        least = int(word.partition(":")[2] or 0)
        return LEVELS[least:]
    assert word in ROLES, word
    return (word,)


def _template(rule: Rule) -> str:
    return VARIABLE.sub(r"{\2}", rule.rule)


def routes(app: Flask) -> list[Route]:
    """Every method of every rule."""
    found = [
        Route(f"{method} {_template(rule)}", method, rule)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    ]
    return sorted(found, key=lambda route: route.name)


@dataclass
class Asker:
    """The application in its own role, asked as every account; the test stays the owner."""

    app: Flask
    site: Engine
    world: World

    def ask(
        self, route: Route, who: str, of: Mapping[str, int] | None = None, body: Any = None
    ) -> Any:
        """What the route answers to the account. `body` None: as in the table."""
        client = self.app.test_client()
        token = self.world.token_of(who)
        headers = {"Accept": "text/html" if route.page else "application/json"}
        if route.page and token:
            client.set_cookie(COOKIE, token)
        elif token:
            headers["Authorization"] = f"Bearer {token}"
        body = route.row.get("body") if body is None else body
        options: dict[str, Any] = {} if body is None else {"json": body}
        if "bytes" in route.row:
            options = {"data": route.row["bytes"], "content_type": "application/octet-stream"}
        with kernel_database.bound(self.site):
            return client.open(
                self._path(route, of or {}), method=route.method, headers=headers, **options
            )

    def _path(self, route: Route, of: Mapping[str, int]) -> str:
        values = {**(route.row.get("path") or {}), **of}
        return VARIABLE.sub(
            lambda found: str(values.get(found[2], _sample(found[1] or ""))), route.rule.rule
        )


def _sample(converter: str) -> str:
    return str(UNKNOWN) if converter.startswith("int") else "none"
