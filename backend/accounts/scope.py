"""权限范围 (scope): whose session a transaction runs in, and what that may see.

What may be seen is decided by the database, which looks the token up at every question; an `Actor`
only tells who it is, for decisions by role and for the audit.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal, Protocol, TypeAlias

from sqlalchemy import RowMapping, text
from sqlalchemy.orm import Session

from backend.accounts.staff_tables import VISITORS

Kind: TypeAlias = Literal["resident", "staff"]
_ACTOR: Final = text("SELECT * FROM session_actor()")
# One round trip: who acts is looked up for each row of `given`, so after the token was set.
_ACTING: Final = text(
    """
    SELECT (one.actor).* FROM (
        SELECT session_actor() AS actor FROM (
            SELECT set_config('shukun.session', :token, true) AS token OFFSET 0
        ) AS given WHERE given.token IS NOT NULL
    ) AS one
    """
)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts in a session that is valid now.

    A resident has `resident_id`, `level` (0 to 2) and at level 2 `person_id`. Staff have
    `staff_id`, `staff_no`, `name` and the duty in which they act: `duty_id`, `role`, the 12-digit
    places `area_from` to `area_to`; `deputising`: it is the duty of somebody absent (`holder_no`).
    `stale`: the session was not noted as used for a minute. `died`: the register says that the
    resident has died: the account acts for nobody, not at level 2 either.
    """

    session_id: int
    stale: bool
    resident_id: int | None
    person_id: int | None
    level: int
    staff_id: int | None
    staff_no: str | None
    name: str | None
    duty_id: int | None
    role: str | None
    area_from: int | None
    area_to: int | None
    holder_no: str | None
    deputising: bool
    died: bool

    @property
    def kind(self) -> Kind:
        """What sort of account it is."""
        return "resident" if self.resident_id is not None else "staff"

    @property
    def label(self) -> str:
        """The account, for audit rows and columns `..._by`: `staff:S001`, `resident:17`."""
        if self.resident_id is not None:
            return f"resident:{self.resident_id}"
        return f"staff:{self.staff_no}"

    @property
    def visits(self) -> bool:
        """Whether it is the role of one who visits people, and sees those who live in the range."""
        return self.role in VISITORS


@dataclass(frozen=True, slots=True)
class Entry:
    """Who shows which token, and whom a view is for, told to a statement that lets in and looks.

    The request is counted under `counted_as`, with the account for `{}`, up to `most` in any
    `seconds`. `at_level`: of residents, or more; `roles`: of staff, none: every one; None: not for
    these.
    """

    token: str = field(repr=False)
    counted_as: str
    most: int
    seconds: int
    at_level: int | None
    roles: list[str] | None


class Entered(Protocol):
    """What such a statement found: who acts, and whether the request was counted (False: too
    many)."""

    @property
    def actor(self) -> Actor:
        """In a session that is valid now."""

    @property
    def counted(self) -> bool:
        """Within what the account may ask."""


def act_as(session: Session, token: str) -> Actor | None:
    """Let the transaction act in the session of this token; None where there is no valid one."""
    return _actor(session.execute(_ACTING, {"token": token}).mappings().first())


def actor_of(session: Session) -> Actor | None:
    """Who acts in the transaction; None: nobody, or the session has ended meanwhile."""
    return _actor(session.execute(_ACTOR).mappings().first())


def _actor(row: RowMapping | None) -> Actor | None:
    if row is None:
        return None
    values = dict(row)
    return Actor(**values | {"level": values["level"] or 0, "deputising": bool(row["deputising"])})
