"""谁可以用 (access): every route says who may call it, or the start fails."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, TypeVar

from flask import Flask, current_app, request
from werkzeug import Response

from miniprogram_api import staff

Access = Literal["public", "staff"]
"""`public`: anyone, without login. `staff`: who shows the deployment's token (`staff`)."""

_ATTRIBUTE: Final = "shukun_access"
View = TypeVar("View", bound=Callable[..., Any])


def access(level: Access) -> Callable[[View], View]:
    """Declare who may call the view; stands directly above or below the other decorators."""

    def declare(view: View) -> View:
        setattr(view, _ATTRIBUTE, level)
        return view

    return declare


def declared(view: Callable[..., Any]) -> Access | None:
    """What the view declares; None: nothing."""
    level: Access | None = getattr(view, _ATTRIBUTE, None)
    return level


def table(app: Flask) -> Mapping[str, Access | None]:
    """Every endpoint of the application and what it declares."""
    return {name: declared(view) for name, view in app.view_functions.items()}


def guard(app: Flask) -> None:
    """Let nobody past who may not call the view, whichever it is."""
    app.before_request(_check)


def _check() -> Response | None:
    view = current_app.view_functions.get(request.endpoint or "")
    if view is not None and declared(view) != "public":
        return staff.admit()
    return None
