"""谁可以用 (access): every route says who may call it, or the start fails.

Whose session it is, and whether it is still valid, the database says at every request, so that what
was revoked ends everywhere at once. What the route then sees is decided there too
(`acting_transaction`); here it is only decided who comes in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Literal, NoReturn, TypeAlias, TypeVar

from flask import Flask, Response, current_app, g, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug import Response as AnyResponse

from backend.accounts.residents import NotNamed, PhoneMissing, own_person
from backend.accounts.scope import Actor, Entered, Entry, act_as
from backend.accounts.sessions import end_if_over, note_seen
from backend.accounts.staff_tables import ROLES
from backend.kernel import audit
from backend.kernel.audit import Subject
from backend.kernel.database import transaction
from miniprogram_api import credentials, limiting
from miniprogram_api.problem_table import DOMAIN
from miniprogram_api.problems import Occurrence, Refused, for_status, refuse

Who: TypeAlias = Literal["public", "resident", "staff", "either", "wechat"]
"""`public`: anyone, without signing in. `resident`: a user of the mini-program. `staff`: a member
of staff, in a duty. `either`: residents of the level, and staff of the roles. `wechat`: WeChat's
servers, which the view checks by their signature."""

NOT_SIGNED_IN: Final = "请先登录，再重新操作；登录已失效的，请重新登录。"
NOT_FOR_YOU: Final = "您现在的身份不能办理此事，请换用有权限的账号，或联系管理员。"
DIED: Final = (
    "按登记，此账号的本人已经去世，不能再用它办事。登记有误的，请带身份证到乡镇（街道）柜台更正；"
    "家人要办事的，请带凭据到柜台登记。"
)
NEEDED: Final = (PhoneMissing, NotNamed)
"""What is missing for level 1, and for level 2."""
_ATTRIBUTE: Final = "shukun_access"
_HIDDEN: Final = (403, 404)
Found = TypeVar("Found", bound=Entered)
View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Access:
    """Who may call a view. `roles`: of staff; empty: every one. `level`: a resident's, at least.
    `within`: it is asked by the view's own statement, with `enter`, not before.
    """

    who: Who
    roles: tuple[str, ...] = ()
    level: int = 0
    within: bool = False

    def __post_init__(self) -> None:
        """Raises `ValueError` for what nobody could fulfil."""
        staff, residents = self.who in ("staff", "either"), self.who in ("resident", "either")
        if (self.roles and not staff) or (self.level and not residents):
            raise ValueError("roles are for staff, levels for residents")
        if unknown := set(self.roles) - set(ROLES):
            raise ValueError(f"unknown roles: {unknown}")

    @property
    def open(self) -> bool:
        """Whether no session is asked for."""
        return self.who in ("public", "wechat")


def access(
    who: Who, *, roles: tuple[str, ...] = (), level: int = 0, within: bool = False
) -> Callable[[View], View]:
    """Declare who may call the view; stands directly above or below the other decorators."""
    wanted = Access(who, roles, level, within)

    def declare(view: View) -> View:
        setattr(view, _ATTRIBUTE, wanted)
        return view

    return declare


def declared(view: Callable[..., Any]) -> Access | None:
    """What the view declares; None: nothing."""
    wanted: Access | None = getattr(view, _ATTRIBUTE, None)
    return wanted


def table(app: Flask) -> Mapping[str, Access | None]:
    """Every endpoint of the application and what it declares."""
    return {name: declared(view) for name, view in app.view_functions.items()}


def guard(app: Flask) -> None:
    """Let nobody past who may not call the view, whichever it is; note who was refused."""
    app.before_request(_check)
    app.after_request(_note_refusal)


def actor() -> Actor:
    """Who calls; only in views that ask for a session."""
    found: Actor = g.actor
    return found


def acting_for(person: int | None) -> int:
    """The person whom a resident acts for, as the request names: None: the resident.

    A refusal is written down with it. Whether the resident may is for the deed to say. Raises
    `NotNamed`.
    """
    g.asked_person = person
    return person or own_person(actor())


@contextmanager
def acting_transaction() -> Iterator[Session]:
    """A transaction that sees what the caller may see. Raises `Refused` (401) where the session
    was ended since the request came in.
    """
    with transaction() as session:
        if act_as(session, g.token) is None:
            raise not_signed_in()
        yield session


def enter(looking: Callable[[Entry], Found | None]) -> Found:
    """Let the caller of a view that declares `within` in, by a statement that reads what the view
    wants besides; what it found.

    Raises what is raised before other views: `Refused` (401, 403, 429).
    """
    wanted = _declared_here()
    found = looking(_entry(wanted))
    if found is None:
        _refuse_entry()
    g.actor = found.actor
    if not found.counted:
        _refuse_entry()
    if (reason := _reason_against(wanted, found.actor)) is not None:
        raise Refused(reason)
    return found


def _entry(wanted: Access | None) -> Entry:
    counted_as, most, seconds = limiting.account_window()
    at_level = None if wanted is None or wanted.who == "staff" else wanted.level
    roles = None if wanted is None or wanted.who == "resident" else list(wanted.roles)
    return Entry(g.token, counted_as, most, seconds, at_level, roles)


def _refuse_entry() -> NoReturn:
    """Say why, as it is said before other views."""
    found = signed_in()
    if found is None:
        raise not_signed_in()
    limiting.by_account(found)
    raise refuse(429)


def _declared_here() -> Access | None:
    view = current_app.view_functions.get(request.endpoint or "")
    return None if view is None else declared(view)


def signed_in() -> Actor | None:
    """Who shows a valid token, in views that do not ask for one; keeps the session alive."""
    token = credentials.sent_token()
    if token is None:
        return None
    with transaction() as session:
        found = act_as(session, token)
        if found is None:
            end_if_over(session, token)
        else:
            note_seen(session, found)
    g.actor, g.token = found, token
    return found


def _check() -> AnyResponse | None:
    view = current_app.view_functions.get(request.endpoint or "")
    wanted = None if view is None else declared(view)
    if view is None or (wanted is not None and wanted.open):
        return None
    if wanted is not None and wanted.within and (token := credentials.sent_token()) is not None:
        g.token = token
        return None
    found = signed_in()
    if found is None:
        if credentials.of_program():
            raise not_signed_in()
        return redirect(url_for("staff_page.ask"), 303)
    limiting.by_account(found)
    if (reason := _reason_against(wanted, found)) is not None:
        raise Refused(reason)
    return None


def _reason_against(wanted: Access | None, found: Actor) -> Occurrence | None:
    """Why the actor may not call the view; None: nothing against it."""
    if wanted is None or wanted.who not in (found.kind, "either"):
        return Occurrence(for_status(403), NOT_FOR_YOU)
    if found.kind == "staff":
        fits = not wanted.roles or found.role in wanted.roles
        return None if fits else Occurrence(for_status(403), NOT_FOR_YOU)
    if found.level < wanted.level:
        if found.died:
            return Occurrence(for_status(403), DIED)
        return Occurrence(DOMAIN[NEEDED[wanted.level - 1].code])
    return None


def not_signed_in() -> Refused:
    """401: nobody is signed in, or nobody any more."""
    return refuse(401, NOT_SIGNED_IN, (("WWW-Authenticate", credentials.REALM),))


def _note_refusal(answer: Response) -> Response:
    """A row of the audit where somebody signed in was refused, or asked for what is not theirs:
    whether it exists is not told, and looks the same. In a transaction of its own: that of the
    request was rolled back.
    """
    found: Actor | None = g.get("actor")
    if answer.status_code in _HIDDEN and found is not None and request.url_rule is not None:
        audit.denied(
            actor=found.label,
            action="access",
            subject=Subject("route", f"{request.method} {request.url_rule.rule}"),
            detail={"status": answer.status_code, **_asked()},
            role=found.role or "resident",
            area=found.area_from,
        )
    return answer


def _asked() -> dict[str, Any]:
    """What was asked for: the variables of the path, and the person whom the request names."""
    person: int | None = g.get("asked_person")
    named = {"person": person} if person is not None else {}
    asked = {name: str(value) for name, value in {**named, **(request.view_args or {})}.items()}
    concerned = {"person": asked["person"]} if "person" in asked else {}
    return {"asked": asked, **concerned}
