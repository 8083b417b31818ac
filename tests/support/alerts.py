"""The alarms of `docs/alerts.yaml`, judged as Prometheus does, on what `/metrics` says."""

from __future__ import annotations

import re
from typing import Any, Final

from prometheus_client.parser import text_string_to_metric_families

from backend.kernel.settings import PROJECT
from tests.support.from_yaml import from_yaml

FILE: Final = PROJECT / "docs" / "alerts.yaml"
_ABOVE: Final = re.compile(r'(?P<name>\w+)(\{(?P<label>\w+)="(?P<value>\w+)"\})? > (?P<limit>\d+)')
_ABSENT: Final = re.compile(r"absent\((?P<name>\w+)\)")


def alerts() -> list[dict[str, Any]]:
    """Every rule of the file."""
    (group,) = from_yaml(FILE)["groups"]
    return list(group["rules"])


def named(rule: dict[str, Any]) -> str:
    """The metric that a rule asks."""
    found = _ABSENT.fullmatch(rule["expr"]) or _ABOVE.fullmatch(rule["expr"])
    assert found is not None, rule["expr"]
    return found["name"]


def firing(exposed: str) -> set[str]:
    """The names of the alarms that these figures raise."""
    samples = [one for family in text_string_to_metric_families(exposed) for one in family.samples]
    return {rule["alert"] for rule in alerts() if _fires(rule["expr"], samples)}


def _fires(expr: str, samples: list[Any]) -> bool:
    absent = _ABSENT.fullmatch(expr)
    if absent is not None:
        return absent["name"] not in {one.name for one in samples}
    asked = _ABOVE.fullmatch(expr)
    assert asked is not None, expr
    return any(
        one.name == asked["name"]
        and (asked["label"] is None or one.labels.get(asked["label"]) == asked["value"])
        and one.value > float(asked["limit"])
        for one in samples
    )
