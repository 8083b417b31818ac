"""首页 (home): what this is, the places, and what to do where we have no policy."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from flask import Blueprint, render_template

from backend.kernel import areas
from backend.policies.book import PolicyBook
from backend.policies.policy import Policy
from backend.policies.standing import places
from miniprogram_api.access import access
from miniprogram_api.pages.print_size import offer_sizes
from miniprogram_api.pages.wording import offer_wording
from miniprogram_api.rulebook import rules

home = Blueprint("home", __name__)
offer_sizes(home)
offer_wording(home)


@dataclass(frozen=True, slots=True)
class PlaceShown:
    """A place to choose: `above`: the areas around it; `within`: those that it stands for."""

    code: str
    short_name: str
    above: str
    within: tuple[str, ...]


@home.get("/")
@access("public")
def show() -> str:
    """The way in."""
    book = rules().book
    return render_template("home.html", places=places_shown(book), policies=book.policies.values())


@home.get("/elsewhere")
@access("public")
def elsewhere() -> str:
    """What we do not have, and what to do then."""
    book = rules().book
    return render_template(
        "elsewhere.html", places=places_shown(book), templates=templates_of(book)
    )


def places_shown(book: PolicyBook) -> tuple[PlaceShown, ...]:
    """The places with policies, by code."""
    return tuple(_shown(place.code) for place in places(book))


def templates_of(book: PolicyBook) -> tuple[Policy, ...]:
    """The policies that name no place."""
    return tuple(policy for policy in book.policies.values() if policy.area is None)


@lru_cache(maxsize=256)
def _shown(code: str) -> PlaceShown:
    name = areas.area_short_name(code) or code
    above = (areas.area_name(code) or "").removesuffix(name)
    within = (areas.area_short_name(one) or "" for one in areas.below(code))
    return PlaceShown(code, name, above, tuple(within))
