"""The document names every route and every fault, and none that does not exist."""

from __future__ import annotations

import re
from typing import get_args

from backend.kernel.settings import PROJECT
from backend.wechat.simulator import control_platform, control_users
from backend.wechat.simulator.api import ROUTES
from backend.wechat.simulator.faults import Action

TEXT = (PROJECT / "docs" / "wechat-simulator.md").read_text(encoding="utf-8")


def test_the_document_names_every_route() -> None:
    named = set(re.findall(r"`((?:GET|POST|PUT|DELETE) /[^`]+)`", TEXT))
    control = (*control_platform.ROUTES, *control_users.ROUTES)
    assert named == {f"{one.method} {one.path}" for one in ROUTES.values()} | {
        f"{method} /__sim{path}" for method, path, _ in control
    }


def test_the_document_names_every_fault() -> None:
    section = TEXT.partition("## Faults")[2].partition("\n## ")[0]
    rows = "\n".join(line.split("|")[1] for line in section.splitlines() if line.startswith("| `"))
    assert set(re.findall(r"`(\w+)`", rows)) == set(get_args(Action))
