"""工作人员登录 (staff login): number, password and one-time code; no fault tells which was right.

The database counts an attempt and looks at it under the lock of the account's row, so that parallel
guesses are counted too, and opens the session itself, for whoever shows what comes of the password
(`passwords.py`); the one-time code is looked at here, where the secrets can be opened. A number
that nobody has, a wrong password, a wrong code and a disabled account are answered alike, after the
same work. That a code was used, or that the account is locked, is said whatever the password is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, ClassVar, Final

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from backend.accounts import totp
from backend.accounts.duties import Duty, duties_of
from backend.accounts.passwords import check_new, keep, show
from backend.accounts.scope import Actor, act_as
from backend.accounts.sessions import NewToken, new_token
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
USED: Final = "这个动态码用过了：请等验证器换出下一个（最多半分钟），再登录。"
LOCKED: Final = (
    f"连续 {MOST_FAILED} 次不对，账号已经锁定：请过 {LOCKED_MINUTES} 分钟再试，"
    "锁定时口令对也登不上。不是您自己试的，或者忘记了口令，请联系系统管理员。"
)
_SAID: Final = {
    "refused": Fault("/staff_no", WRONG),
    "used": Fault("/code", USED),
    "locked": Fault("/staff_no", LOCKED),
}
_CHANGE_FIRST: Final = "这是初始口令，请在 new_password 里填写新口令，一起提交。"
_NO_DUTY: Final = "您目前没有任职，或所选的任职已经结束：请联系系统管理员。"
_ASKED: Final = text("SELECT * FROM staff_asked(:number, :address)")
_KNOWN: Final = text("SELECT signs_in_from(:number, :network)")
_OPEN: Final = text(
    "SELECT * FROM open_staff_session(:number, :shown, :step, :new_salt, :new_sha256, :wanted,"
    " :digest, :address)"
)
_SWITCH: Final = text("SELECT switch_duty(:wanted, :digest)")


class SignInRefused(DomainError):
    """Number, password or code is wrong, or the account is disabled: not told which. Or the code
    was used, or the account is locked: told, whatever the password is."""

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
    """The session that was opened, in `duty` of all `duties`; the token is kept nowhere else.
    `refused`: attempts with this number since it was signed in with last.
    """

    token: str
    staff_no: str
    name: str
    duty: Duty
    duties: tuple[Duty, ...]
    refused: int = 0


def sign_in_staff(
    session: Session, keyring: Keyring, typed: SignIn, now: datetime, today: date
) -> SignedIn | DomainError:
    """Open a session where everything is right; audited either way. Where none is opened, the
    password stays as it was, and the code is not used up.

    A refusal is returned, not raised, since the count of failures must be kept: `SignInRefused`,
    `PasswordMustChange`, `NoDuty`. Raises `WeakPassword` for a new password that will not do.
    """
    if typed.new_password:
        check_new(typed.new_password, typed.staff_no, typed.password)
    asked = {"number": typed.staff_no, "address": typed.address}
    account = session.execute(_ASKED, asked).first()
    step, new = _step(keyring, account, typed, now), new_token()
    outcome, refused = _open(session, account, typed, step, new)
    if account is None or outcome in _SAID:
        _audit(session, "staff.sign_in_refused", account)
        return SignInRefused(_SAID.get(outcome, _SAID["refused"]))
    if outcome == "must_change":
        _audit(session, "staff.sign_in_must_change", account)
        return PasswordMustChange(Fault("/new_password", _CHANGE_FIRST))
    actor = act_as(session, new.token)
    if outcome == "no_duty" or actor is None:
        _audit(session, "staff.sign_in_no_duty", account)
        return NoDuty(Fault("/duty", _NO_DUTY))
    _audit(session, "staff.sign_in", account)
    return replace(_signed_in(session, actor, new, today), refused=refused)


def known_from(session: Session, staff_no: str, network: str) -> bool:
    """Whether somebody signed in with this number from this network (a masked address)."""
    known: bool = session.execute(_KNOWN, {"number": staff_no, "network": network}).scalar_one()
    return known


def switch_duty(session: Session, actor: Actor, duty_id: int, today: date) -> SignedIn:
    """Go on in another of one's duties: a new session in place of the old one, which ends no later
    than it would have. Raises `NoDuty`.
    """
    before, new = actor.duty_id, new_token()
    switched = session.execute(_SWITCH, {"wanted": duty_id, "digest": new.digest}).scalar_one()
    now = act_as(session, new.token) if switched else None
    if now is None:
        raise NoDuty(Fault("/duty", _NO_DUTY))
    signed_in = _signed_in(session, now, new, today)
    subject = Subject("staff", str(now.staff_id))
    detail = {"from": before, "to": now.duty_id}
    audit.record(
        session, actor=now.label, action="staff.switch_duty", subject=subject, detail=detail,
        role=now.role or "",
    )  # fmt: skip
    return signed_in


def _step(keyring: Keyring, account: Row[Any] | None, typed: SignIn, now: datetime) -> int | None:
    """The time step of the code. Where there is no account the same is done with another secret."""
    if account is None:
        totp.step_of(_NOBODYS, typed.code, now)
        return None
    secret = totp.open_secret(keyring.shared(), account.id, account.totp_secret)
    return totp.step_of(secret, typed.code, now)


_NOBODYS: Final = totp.new_secret()


def _open(
    session: Session, account: Row[Any] | None, typed: SignIn, step: int | None, new: NewToken
) -> tuple[str, int]:
    """What the database says: `open`, `no_duty`, `must_change`, `refused`, `used` or `locked`; how
    many attempts were refused before.
    """
    changed = keep(typed.new_password) if typed.new_password else None
    shown = {
        "number": typed.staff_no,
        "shown": show(typed.password, None if account is None else account.password_salt),
        "step": step,
        "new_salt": None if changed is None else changed.salt,
        "new_sha256": None if changed is None else changed.sha256,
        "wanted": typed.duty_id,
        "digest": new.digest,
        "address": typed.address,
    }
    outcome, before = session.execute(_OPEN, shown).one()
    return str(outcome), int(before)


def _signed_in(session: Session, actor: Actor, new: NewToken, today: date) -> SignedIn:
    """What the session is about. Raises `NoDuty` where the duty has just ended."""
    duties = duties_of(session, actor.staff_id or 0, today)
    duty = next((one for one in duties if one.id == actor.duty_id), None)
    if duty is None:
        raise NoDuty(Fault("/duty", _NO_DUTY))
    return SignedIn(new.token, actor.staff_no or "", actor.name or "", duty, duties)


def _audit(session: Session, action: str, account: Row[Any] | None) -> None:
    """What was typed as a number nobody has is not written down: it may be a password."""
    who, number = ("0", "?") if account is None else (str(account.id), account.staff_no)
    subject = Subject("staff", who)
    audit.record(session, actor=f"staff:{number}", action=action, subject=subject)
