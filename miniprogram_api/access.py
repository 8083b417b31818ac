"""谁可以用 (access): every route says who may call it, or the start fails."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, TypeVar

from flask import Flask

Access = Literal["public"]
"""`public`: anyone, without login."""

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
