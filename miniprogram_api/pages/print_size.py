"""字号 (print size): larger print, asked for by `big=1` and kept in every link, without cookies."""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, has_request_context, request, url_for

KEPT: Final = ("area", "policy", "on", "q", "left", "right", "year", "before")
"""Parameters of our pages; nothing else of an address is repeated in a link."""


def offer_sizes(pages: Blueprint) -> None:
    """Let every link keep the size, and every page offer the other one."""
    pages.app_url_defaults(_keep)
    pages.app_context_processor(_offer)


def is_big() -> bool:
    """Whether larger print is asked for."""
    return has_request_context() and request.args.get("big") == "1"


def _keep(endpoint: str, values: dict[str, Any]) -> None:
    if endpoint != "static" and is_big():
        values.setdefault("big", "1")


def _offer() -> dict[str, Any]:
    """`size_link`: this page in the other size; None where it cannot be asked for by a link."""
    link = None
    if request.endpoint is not None and request.method in ("GET", "HEAD"):
        kept = {name: request.args[name] for name in KEPT if name in request.args}
        other = None if is_big() else "1"
        link = url_for(request.endpoint, **{**kept, **(request.view_args or {}), "big": other})
    return {"big": is_big(), "size_link": link}
