"""工作人员登录 (staff login): number, password and one-time code; every fault looks the same.

An attempt is counted as failed before it is looked at, under the lock of the account's row, so that
parallel guesses are counted too. A number that nobody has, a wrong password, a used code, a locked
and a disabled account are answered alike, after the same work.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar, Final

from sqlalchemy import Row, select, text, update
from sqlalchemy.orm import Session

from backend.accounts import totp
from backend.accounts.duties import Duty, duties_of
from backend.accounts.passwords import check_new, hash_password, is_password
from backend.accounts.scope import Actor, actor_of
from backend.accounts.sessions import Opening, end_session, end_sessions_of_staff, open_session
from backend.accounts.staff_tables import ACCOUNT_SESSION, STAFF
from backend.kernel import audit
from backend.kernel.audit import Subject
from backend.kernel.crypto import Keyring
from backend.kernel.errors import DomainError, Fault

MOST_FAILED: Final = 5
LOCKED_MINUTES: Final = 15
WRONG: Final = (
    f"工号、口令或动态码不对，请核对后再试。连续 {MOST_FAILED} 次不对，"
    f"账号会锁定 {LOCKED_MINUTES} 分钟；忘记口令的，请联系系统管理员。"
)
_CHANGE_FIRST: Final = "这是初始口令，请在 new_password 里填写新口令，一起提交。"
_NO_DUTY: Final = "您目前没有任职，或所选的任职已经结束：请联系系统管理员。"
_CLAIM: Final = text(
    """
    UPDATE staff SET
        failed = CASE WHEN locked_until IS NULL THEN failed + 1 ELSE 1 END,
        locked_until = CASE WHEN locked_until IS NULL AND failed + 1 >= :most
            THEN now() + make_interval(mins => :minutes) END
    WHERE staff_no = :staff_no AND state = 'active'
        AND (locked_until IS NULL OR locked_until <= now())
    RETURNING id, staff_no, name, password_hash, totp_secret, totp_last_step, must_change
    """
)


class SignInRefused(DomainError):
    """Number, password or code is wrong, or the account is locked or disabled: not told which."""

    code: ClassVar[str] = "sign-in-refused"


class PasswordMustChange(DomainError):
    """Everything is right, but the first password must be changed with the same request."""

    code: ClassVar[str] = "password-must-change"


class NoDuty(DomainError):
    """Everything is right, but the member of staff holds no duty today, or not the one asked."""

    code: ClassVar[str] = "no-duty"


@dataclass(frozen=True, slots=True)
class SignIn:
    """What was typed. `duty_id` None: the first of the own duties. `address`: already masked."""

    staff_no: str
    password: str
    code: str
    new_password: str | None = None
    duty_id: int | None = None
    address: str = ""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The session that was opened, in `duty` of all `duties`; the token is kept nowhere else."""

    token: str
    staff_no: str
    name: str
    duty: Duty
    duties: tuple[Duty, ...]


def sign_in_staff(
    session: Session, keyring: Keyring, typed: SignIn, now: datetime, today: date
) -> SignedIn | DomainError:
    """Open a session where everything is right; audited either way.

    A refusal is returned, not raised, since the count of failures must be kept: `SignInRefused`,
    `PasswordMustChange`, `NoDuty`. Raises `WeakPassword` for a new password that will not do.
    """
    asked = {"most": MOST_FAILED, "minutes": LOCKED_MINUTES, "staff_no": typed.staff_no}
    account = session.execute(_CLAIM, asked).first()
    step = _step(keyring, account, typed, now)
    right = is_password(typed.password, None if account is None else account.password_hash)
    if account is None or step is None or not right:
        _audit(session, "staff.sign_in_refused", account)
        return SignInRefused(Fault("/staff_no", WRONG))
    if account.must_change and not typed.new_password:
        _keep(session, account, {})
        return PasswordMustChange(Fault("/new_password", _CHANGE_FIRST))
    changes: dict[str, Any] = {"totp_last_step": step}
    if typed.new_password:
        check_new(typed.new_password, account.staff_no, account.password_hash)
        changes |= {"password_hash": hash_password(typed.new_password), "must_change": False}
    _keep(session, account, changes)
    return _open(session, account, typed, duties_of(session, account.id, today))


def switch_duty(session: Session, actor: Actor, duty_id: int, today: date) -> SignedIn:
    """Go on in another of one's duties: a new session in place of the old one, which ends no later
    than it would have. Raises `NoDuty`.
    """
    if actor.staff_id is None:
        raise NoDuty(Fault("/duty", _NO_DUTY))
    duties = duties_of(session, actor.staff_id, today)
    duty = next((one for one in duties if one.id == duty_id), None)
    if duty is None:
        raise NoDuty(Fault("/duty", _NO_DUTY))
    row = session.execute(
        select(ACCOUNT_SESSION.c.expires_at, ACCOUNT_SESSION.c.address_masked).where(
            ACCOUNT_SESSION.c.id == actor.session_id
        )
    ).one()
    end_session(session, actor.session_id, "switched")
    opening = Opening(
        staff_id=actor.staff_id, duty_id=duty.id, address=row.address_masked,
        expires_at=row.expires_at,
    )  # fmt: skip
    token = open_session(session, opening)
    subject = Subject("staff", str(actor.staff_id))
    detail = {"from": actor.duty_id, "to": duty.id}
    audit.record(
        session, actor=actor.label, action="staff.switch_duty", subject=subject, detail=detail,
        role=duty.role,
    )  # fmt: skip
    return SignedIn(token, actor.staff_no or "", actor.name or "", duty, duties)


def _step(keyring: Keyring, account: Row[Any] | None, typed: SignIn, now: datetime) -> int | None:
    """The time step of the code. Where there is no account the same is done with another secret."""
    if account is None:
        totp.step_of(_NOBODYS, typed.code, now, 0)
        return None
    secret = totp.open_secret(keyring.shared(), account.id, account.totp_secret)
    return totp.step_of(secret, typed.code, now, account.totp_last_step)


_NOBODYS: Final = totp.new_secret()


def _keep(session: Session, account: Row[Any], changes: dict[str, Any]) -> None:
    """The attempt was right: it does not count as failed."""
    right = {"failed": 0, "locked_until": None, **changes}
    session.execute(update(STAFF).where(STAFF.c.id == account.id).values(right))


def _open(
    session: Session, account: Row[Any], typed: SignIn, duties: Sequence[Duty]
) -> SignedIn | DomainError:
    wanted = [duty for duty in duties if typed.duty_id in (None, duty.id)]
    if not wanted:
        return NoDuty(Fault("/duty", _NO_DUTY))
    opening = Opening(staff_id=account.id, duty_id=wanted[0].id, address=typed.address)
    token = open_session(session, opening)
    actor = actor_of(session)
    if typed.new_password and actor is not None:
        end_sessions_of_staff(session, account.id, "password_changed", but=actor.session_id)
    _audit(session, "staff.sign_in", account)
    return SignedIn(token, account.staff_no, account.name, wanted[0], tuple(duties))


def _audit(session: Session, action: str, account: Row[Any] | None) -> None:
    """What was typed as a number nobody has is not written down: it may be a password."""
    who, number = ("0", "?") if account is None else (str(account.id), account.staff_no)
    subject = Subject("staff", who)
    audit.record(session, actor=f"staff:{number}", action=action, subject=subject)
