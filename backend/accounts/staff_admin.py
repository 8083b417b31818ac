"""人员账号 (staff accounts): made, disabled, given first passwords; listed. As `worker`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar, Final

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from backend.accounts import totp
from backend.accounts.duties import Duty, duties_of
from backend.accounts.passwords import first_password, keep
from backend.accounts.sessions import end_sessions_of_staff
from backend.accounts.staff_tables import ACCOUNT_SESSION, STAFF, STAFF_NETWORK
from backend.kernel import audit
from backend.kernel.audit import Subject
from backend.kernel.crypto import Keyring
from backend.kernel.errors import DomainError, Fault
from backend.kernel.row_ids import next_id

STATES: Final = {"active": "在用", "disabled": "已停用", "left": "已离任"}
_NUMBER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,31}", re.ASCII)
_NUMBER_WRONG: Final = "工号是 2 至 32 个英文字母、数字、点或横线，以字母或数字开头。"


class UnknownStaff(DomainError):
    """Nobody has this staff number."""

    code: ClassVar[str] = "unknown-staff"


class StaffNumberTaken(DomainError):
    """Somebody has this staff number already, or had it."""

    code: ClassVar[str] = "staff-number-taken"


class StaffNumberWrong(DomainError):
    """It cannot be a staff number."""

    code: ClassVar[str] = "staff-number-wrong"


@dataclass(frozen=True, slots=True)
class Account:
    """An account as other deeds need it. `state`: of `STATES`."""

    id: int
    staff_no: str
    name: str
    state: str


@dataclass(frozen=True, slots=True)
class FirstCredentials:
    """What a member of staff is handed once; it can be read nowhere again."""

    staff_id: int
    staff_no: str
    password: str
    enrolment: str


@dataclass(frozen=True, slots=True)
class StaffShown:
    """An account without its secrets. `locked`: where it is not known from; `refused`: attempts
    since the last one that was right; `sessions`: open ones.
    """

    id: int
    staff_no: str
    name: str
    state: str
    locked: bool
    refused: int
    sessions: int
    duties: tuple[Duty, ...]


def add_staff(
    session: Session, keyring: Keyring, staff_no: str, name: str, by: str
) -> FirstCredentials:
    """A new account, without a duty. Raises `StaffNumberTaken`, `StaffNumberWrong`."""
    if _NUMBER.fullmatch(staff_no) is None:
        raise StaffNumberWrong(Fault("/staff_no", _NUMBER_WRONG))
    staff_id = next_id(session)
    given, kept = _first(keyring, staff_id, staff_no)
    values = {"id": staff_id, "staff_no": staff_no, "name": name, **kept}
    new = insert(STAFF).values(values).on_conflict_do_nothing().returning(STAFF.c.id)
    if session.execute(new).first() is None:
        taken = "这个工号已经有人用，或用过：请换一个，或用 shukun staff list 核对。"
        raise StaffNumberTaken(Fault("/staff_no", taken))
    _audit(session, by, "staff.add", staff_id)
    return given


def reset_password(session: Session, keyring: Keyring, staff_no: str, by: str) -> FirstCredentials:
    """A first password and a new one-time secret; every session ends. Raises `UnknownStaff`."""
    account = staff_of(session, staff_no)
    given, kept = _first(keyring, account.id, account.staff_no)
    fresh = {"must_change": True, "failed": 0, "locked_until": None, "totp_last_step": 0, **kept}
    session.execute(delete(STAFF_NETWORK).where(STAFF_NETWORK.c.staff_id == account.id))
    session.execute(update(STAFF).where(STAFF.c.id == account.id).values(fresh))
    end_sessions_of_staff(session, account.id, "revoked")
    _audit(session, by, "staff.reset_password", account.id)
    return given


def disable_staff(session: Session, staff_no: str, by: str) -> None:
    """Let nobody sign in with the account; its sessions end at once. Raises `UnknownStaff`."""
    _set_state(session, staff_no, "disabled", by)


def enable_staff(session: Session, staff_no: str, by: str) -> None:
    """Let a disabled account, or that of a leaver who is back, be used again: without sessions.

    Raises `UnknownStaff`.
    """
    _set_state(session, staff_no, "active", by)


def list_staff(session: Session, day: date) -> list[StaffShown]:
    """Every account by number, with the duties that it holds on the day."""
    opened = (
        select(func.count())
        .where(ACCOUNT_SESSION.c.staff_id == STAFF.c.id, ACCOUNT_SESSION.c.ended_at.is_(None))
        .where(ACCOUNT_SESSION.c.expires_at > func.now())
        .scalar_subquery()
    )
    locked = func.coalesce(STAFF.c.locked_until > func.now(), False)
    columns = (
        STAFF.c.id,
        STAFF.c.staff_no,
        STAFF.c.name,
        STAFF.c.state,
        locked,
        STAFF.c.refused,
        opened,
    )
    found = session.execute(select(*columns).order_by(STAFF.c.staff_no)).all()
    return [StaffShown(*(*row, duties_of(session, row.id, day))) for row in found]


def staff_of(session: Session, staff_no: str) -> Account:
    """The account with this number. Raises `UnknownStaff`."""
    columns = STAFF.c.id, STAFF.c.staff_no, STAFF.c.name, STAFF.c.state
    found = session.execute(select(*columns).where(STAFF.c.staff_no == staff_no)).first()
    if found is None:
        raise UnknownStaff(Fault("/staff_no", "没有这个工号：请用 shukun staff list 核对。"))
    return Account(*found)


def _first(keyring: Keyring, staff_id: int, staff_no: str) -> tuple[FirstCredentials, Any]:
    password, secret = first_password(), totp.new_secret()
    own = keep(password)
    kept = {
        "password_salt": own.salt,
        "password_sha256": own.sha256,
        "totp_secret": totp.seal_secret(keyring.shared(), staff_id, secret),
    }
    enrolment = totp.enrolment(secret, staff_no)
    return FirstCredentials(staff_id, staff_no, password, enrolment), kept


def _set_state(session: Session, staff_no: str, state: str, by: str) -> None:
    account = staff_of(session, staff_no)
    session.execute(update(STAFF).where(STAFF.c.id == account.id).values(state=state))
    end_sessions_of_staff(session, account.id, "revoked")
    _audit(session, by, f"staff.{state}", account.id)


def _audit(session: Session, by: str, action: str, staff_id: int) -> None:
    audit.record(session, actor=by, action=action, subject=Subject("staff", str(staff_id)))
