"""任职 (duties): who holds which role where, from day to day; deputies for the absent.

The database keeps deciding, auditing and administering apart (an exclusion constraint), of deputies
as well: a deputy holds the absent one's role and area as a duty of their own, for some days.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar, Final

from psycopg.errors import ExclusionViolation
from sqlalchemy import ColumnElement, Date, Row, cast, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from backend.accounts.staff_tables import DUTY, ROLES
from backend.kernel import audit, audit_words
from backend.kernel.areas import code_range
from backend.kernel.audit import Subject
from backend.kernel.errors import DomainError, Fault
from backend.worklist.vacancy import lift_vacant

ROLE_NAMES: Final = {role: audit_words.ROLES[role] for role in ROLES}
DIGITS: Final = {
    "family_doctor": (9, 12), "village_coordinator": (12,), "township_reviewer": (9,),
    "county_officer": (6,), "city_officer": (6,),
}  # fmt: skip
"""How long the code of a duty's area is, where not any will do: nobody sees more than the role is
for."""
_SHOWN: Final = (
    DUTY.c.id, DUTY.c.staff_id, DUTY.c.role, DUTY.c.area_from, DUTY.c.area_to, DUTY.c.from_on,
    func.nullif(DUTY.c.to_on, cast("infinity", Date)).label("to_on"), DUTY.c.deputy_for,
)  # fmt: skip
_NO_DUTY: Final = "没有这项任职，或已经结束：请用 shukun staff list 核对编号。"
_APART: Final = "经办（初审）、审计、系统管理必须由不同的人担任：请先结束另一项任职。"
_REVERSED: Final = "结束的日期不能早于开始的日期，也不能早于今天。"


class UnknownDuty(DomainError):
    """No such duty, or not one that is still held."""

    code: ClassVar[str] = "unknown-duty"


class DutiesNotApart(DomainError):
    """The same person would decide and audit, or administer."""

    code: ClassVar[str] = "duties-not-apart"


class DutyAreaWrong(DomainError):
    """The area is larger or smaller than the role is for."""

    code: ClassVar[str] = "duty-area-wrong"


class DutyDaysWrong(DomainError):
    """The days of a duty are in the wrong order, or over."""

    code: ClassVar[str] = "duty-days-wrong"


@dataclass(frozen=True, slots=True)
class Duty:
    """A duty in force. `area`: as few digits as name it; `to_on` None: without an end;
    `deputises`: for somebody absent."""

    id: int
    role: str
    area: str
    from_on: date
    to_on: date | None
    deputises: bool


@dataclass(frozen=True, slots=True)
class NewDuty:
    """A duty to grant. `area`: 6, 9 or 12 digits. `to_on` None: without an end."""

    staff_id: int
    role: str
    area: str
    from_on: date
    to_on: date | None = None


@dataclass(frozen=True, slots=True)
class NewDeputy:
    """Somebody who holds a duty while its holder is away, both days included."""

    duty_id: int
    staff_id: int
    from_on: date
    to_on: date
    reason: str


def duties_of(session: Session, staff_id: int, day: date) -> tuple[Duty, ...]:
    """What the member of staff holds on the day, the own before those of others."""
    own = DUTY.c.deputy_for.is_not(None), DUTY.c.id
    held = select(*_SHOWN).where(DUTY.c.staff_id == staff_id, in_force(day)).order_by(*own)
    return tuple(map(_duty, session.execute(held)))


def in_force(day: date) -> ColumnElement[bool]:
    """SQL: the duty is held on the day. A deputy's ends with the one that it stands in for."""
    within = DUTY.c.revoked_at.is_(None) & (DUTY.c.from_on <= day) & (DUTY.c.to_on >= day)
    absent = DUTY.alias("absent")
    stands = select(absent.c.id).where(
        absent.c.id == DUTY.c.deputy_for, absent.c.revoked_at.is_(None),
        absent.c.from_on <= day, absent.c.to_on >= day,
    )  # fmt: skip
    return within & or_(DUTY.c.deputy_for.is_(None), stands.exists())


def grant_duty(session: Session, new: NewDuty, by: str) -> int:
    """A duty from a day on; its id. Raises `DutiesNotApart`, `DutyDaysWrong`, `DutyAreaWrong`, and
    `ValueError` for what is no area code.
    """
    low, high = code_range(new.area)
    if len(new.area) not in (digits := DIGITS.get(new.role, (6, 9, 12))):
        lengths = "或 ".join(map(str, digits))
        told = f"{ROLE_NAMES[new.role]}的地区要填 {lengths} 位代码。"
        raise DutyAreaWrong(Fault("/area", told))
    values = {"staff_id": new.staff_id, "role": new.role, "area_from": low, "area_to": high}
    return _insert(session, values | _days(new.from_on, new.to_on), by, "duty.grant")


def revoke_duty(session: Session, duty_id: int, by: str) -> None:
    """End a duty at once, on every worker; those who stand in for its holder lose it with it, and
    work that lies with nobody then passes to the level above.

    Raises `UnknownDuty` where it has ended already.
    """
    if not revoke_duties(session, DUTY.c.id == duty_id, by):
        raise UnknownDuty(Fault("/duty", _NO_DUTY))
    lift_vacant(session, by)


def revoke_duties(session: Session, which: ColumnElement[bool], by: str) -> list[Row[Any]]:
    """End these duties and those of their deputies at once; the rows that were held."""
    held = select(DUTY.c.id).where(which, DUTY.c.revoked_at.is_(None))
    ended = (
        update(DUTY)
        .where(or_(DUTY.c.id.in_(held), DUTY.c.deputy_for.in_(held)), DUTY.c.revoked_at.is_(None))
        .values(revoked_at=func.now(), revoked_by=by)
        .returning(*_SHOWN)
    )
    rows = list(session.execute(ended))
    for row in rows:
        _audit(session, by, "duty.revoke", row.id, {"staff": row.staff_id, "role": row.role})
    return rows


def appoint_deputy(session: Session, new: NewDeputy, today: date, by: str) -> int:
    """Let somebody hold a duty for its absent holder, under their own name; the new duty's id.

    Raises `UnknownDuty`, `DutiesNotApart`, `DutyDaysWrong`.
    """
    absent = session.execute(
        select(*_SHOWN).where(
            DUTY.c.id == new.duty_id, DUTY.c.revoked_at.is_(None), DUTY.c.to_on >= today,
            DUTY.c.deputy_for.is_(None), DUTY.c.staff_id != new.staff_id,
        )
    ).first()  # fmt: skip
    if absent is None:
        raise UnknownDuty(Fault("/duty", _NO_DUTY))
    if new.to_on < today:
        raise DutyDaysWrong(Fault("/to_on", _REVERSED))
    values = {
        "staff_id": new.staff_id, "role": absent.role, "area_from": absent.area_from,
        "area_to": absent.area_to, "deputy_for": absent.id, "reason": new.reason,
    }  # fmt: skip
    return _insert(session, values | _days(new.from_on, new.to_on), by, "duty.deputise")


def area_code(low: int, high: int) -> str:
    """The code of a range, in as few digits as name it: 6, 9 or 12."""
    text = f"{low:012d}"
    return next(text[:digits] for digits in (6, 9, 12) if _covers(text[:digits], low, high))


def _covers(code: str, low: int, high: int) -> bool:
    return code_range(code) == (low, high)


def _days(from_on: date, to_on: date | None) -> dict[str, Any]:
    if to_on is None:
        return {"from_on": from_on}
    if to_on < from_on:
        raise DutyDaysWrong(Fault("/to_on", _REVERSED))
    return {"from_on": from_on, "to_on": to_on}


def _insert(session: Session, values: dict[str, Any], by: str, action: str) -> int:
    with _apart(), session.begin_nested():
        made = session.execute(DUTY.insert().values(**values, granted_by=by).returning(DUTY.c.id))
        duty_id = int(made.scalar_one())
    detail = {"staff": values["staff_id"], "role": values["role"], "area": values["area_from"]}
    _audit(session, by, action, duty_id, detail)
    return duty_id


@contextmanager
def _apart() -> Iterator[None]:
    try:
        yield
    except IntegrityError as error:
        if isinstance(error.orig, ExclusionViolation):
            raise DutiesNotApart(Fault("/role", _APART)) from error
        raise


def _audit(session: Session, by: str, action: str, duty_id: int, detail: dict[str, Any]) -> None:
    subject = Subject("duty", str(duty_id))
    audit.record(session, actor=by, action=action, subject=subject, detail=detail)


def _duty(row: Any) -> Duty:
    area = area_code(row.area_from, row.area_to)
    return Duty(row.id, row.role, area, row.from_on, row.to_on, row.deputy_for is not None)
