"""Runs with the names that people know: of areas, layers and entitlements."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from backend.kernel.areas import area_name
from backend.matching.overview import InKindSum, LayerChange, RunOverview, RunShown
from backend.policies.book import PolicyBook

Json = dict[str, Any]


def present_runs(runs: list[RunShown], most: int) -> Json:
    """A page of runs; `next` where it is full."""
    return {
        "runs": [present_run(run) for run in runs],
        "next": runs[-1].id if len(runs) == most else None,
    }


def present_run(run: RunShown) -> Json:
    """One run with the name of its area."""
    return asdict(run) | {"area": {"code": run.area, "name": area_name(run.area) or run.area}}


def present_overview(found: RunOverview, book: PolicyBook) -> Json:
    """Everything of one run; amounts stay in fen, the schema writes them."""
    return asdict(found) | {
        "run": present_run(found.run),
        "previous": present_run(found.previous) if found.previous else None,
        "in_kind": [_in_kind(one, book) for one in found.in_kind],
        "layers": [_layer(layer) for layer in found.layers],
    }


def _in_kind(one: InKindSum, book: PolicyBook) -> Json:
    name = entitlement_name(book, one.policy, one.entitlement)
    return asdict(one) | {"entitlement": {"code": one.entitlement, "name": name}}


def _layer(layer: LayerChange) -> Json:
    return asdict(layer) | {"after": layer.after}


def entitlement_name(book: PolicyBook, policy: str, code: str) -> str:
    """Its name in the policy of today, else its code."""
    known = book.policies.get(policy)
    names = {one.code: one.name for one in known.entitlements} if known else {}
    return names.get(code, code)
