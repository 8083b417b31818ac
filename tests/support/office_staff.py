"""A member of staff who can sign in by number, password and code, made by the deeds of commands."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Final

import pyotp
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from backend.accounts.duties import NewDuty, grant_duty
from backend.accounts.staff_admin import add_staff
from backend.accounts.staff_login import SignIn
from backend.kernel import clock
from backend.kernel.crypto import Keyring

SINCE: Final = date(2020, 1, 1)
PASSWORD: Final = "invented-for-a-test-7"


@dataclass
class Person:
    """Somebody with an authenticator. `ahead`: half minutes that the next code lies ahead."""

    engine: Engine
    id: int
    staff_no: str
    password: str
    secret: str

    def code(self) -> str:
        """The code of now."""
        return pyotp.TOTP(self.secret).at(clock.now())

    def typed(self, **other: object) -> SignIn:
        """What is typed to sign in, as it should be but for `other`."""
        own = SignIn(self.staff_no, self.password, self.code())
        return replace(own, **other)  # type: ignore[arg-type]

    def used_no_code(self) -> None:
        """As though the codes used so far were long ago."""
        with Session(self.engine) as session, session.begin():
            session.execute(
                text("UPDATE staff SET totp_last_step = 0 WHERE id = :id"), {"id": self.id}
            )


def employ(
    engine: Engine, keyring: Keyring, staff_no: str, role: str = "", area: str = "320281"
) -> Person:
    """An account with the first password changed, and a duty where a role is given."""
    with Session(engine) as session, session.begin():
        given = add_staff(session, keyring, staff_no, f"测试{staff_no}", "测试")
        session.execute(
            text("UPDATE staff SET must_change = false WHERE id = :id"), {"id": given.staff_id}
        )
        if role:
            grant_duty(session, NewDuty(given.staff_id, role, area, SINCE), "测试")
    secret = pyotp.parse_uri(given.enrolment).secret
    return Person(engine, given.staff_id, staff_no, given.password, secret)
