"""Staff and residents put straight into the tables, and tokens of sessions of theirs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import count
from typing import Any, Final

from sqlalchemy import Engine, func, select, text, update
from sqlalchemy.orm import Session

from backend.accounts.sessions import RESIDENT_LIFE, STAFF_LIFE, new_token
from backend.accounts.staff_tables import ACCOUNT_SESSION, DUTY, STAFF
from backend.accounts.tables import RESIDENT
from backend.kernel.areas import code_range

LONG_AGO: Final = date(2020, 1, 1)
EVERYWHERE: Final = ""
"""An area that no duty has: for tests that look at several places at once."""
NO_PASSWORD: Final = {"password_salt": "", "password_sha256": b""}
"""No password has this digest: signing in is tested elsewhere."""


@dataclass
class Accounts:
    """Accounts in the database of a test, made as its owner or worker."""

    engine: Engine
    staff_numbers: Any = field(default_factory=lambda: count(1))

    def staff(self, staff_no: str | None = None, **more: Any) -> int:
        """A member of staff without a duty; the id."""
        staff_no = staff_no or f"T{next(self.staff_numbers):04d}"
        values: dict[str, Any] = {"staff_no": staff_no, **NO_PASSWORD}
        with Session(self.engine) as session, session.begin():
            own = _row_id(session)
            values |= {
                "id": own,
                "name": f"工作人员{staff_no}",
                "totp_secret": b"",
                "must_change": False,
                **more,
            }
            session.execute(STAFF.insert().values(values))
        return own

    def duty(self, staff: int, role: str, area: str, **more: Any) -> int:
        """A duty from long ago, without an end; `area`: 2, 4, 6, 9 or 12 digits, or `EVERYWHERE`."""
        low, high = _range(area)
        values: dict[str, Any] = {
            "staff_id": staff,
            "role": role,
            "area_from": low,
            "area_to": high,
        }
        values |= {"from_on": LONG_AGO, "granted_by": "测试"}
        with Session(self.engine) as session, session.begin():
            made = session.execute(DUTY.insert().values(values | more).returning(DUTY.c.id))
            return int(made.scalar_one())

    def sign_in(self, duty: int) -> str:
        """A session of the duty's holder; the token."""
        with Session(self.engine) as session, session.begin():
            holder = session.execute(select(DUTY.c.staff_id).where(DUTY.c.id == duty)).scalar_one()
            return _open(session, staff_id=holder, duty_id=duty, expires_at=func.now() + STAFF_LIFE)

    def staff_token(self, role: str, area: str, staff_no: str | None = None) -> str:
        """A session of somebody new with this one duty."""
        return self.sign_in(self.duty(self.staff(staff_no), role, area))

    def resident(self, person: int | None = None, **more: Any) -> int:
        """A user of the mini-program, known to be the person where one is given; the id."""
        with Session(self.engine) as session, session.begin():
            own = _row_id(session)
            values = {"id": own, "person_id": person, "level": 0 if person is None else 2}
            session.execute(RESIDENT.insert().values(values | more))
        return own

    def resident_session(self, resident: int) -> str:
        """A session of the resident; the token."""
        with Session(self.engine) as session, session.begin():
            return _open(session, resident_id=resident, expires_at=func.now() + RESIDENT_LIFE)

    def resident_token(self, person: int | None = None) -> str:
        """A session of somebody new."""
        return self.resident_session(self.resident(person))

    def age(self, by: timedelta, column: str = "last_seen_at") -> None:
        """As though every session had been seen, or made, so long ago."""
        moment = ACCOUNT_SESSION.c[column]
        with Session(self.engine) as session, session.begin():
            session.execute(update(ACCOUNT_SESSION).values({column: moment - by}))

    def change(self, statement: str, **values: Any) -> None:
        """A statement of SQL, committed."""
        with Session(self.engine) as session, session.begin():
            session.execute(text(statement), values)


def _range(area: str) -> tuple[int, int]:
    if area == EVERYWHERE:
        return 0, 999_999_999_999
    return code_range(area.ljust(6, "0") if len(area) < 6 else area)


def _open(session: Session, **values: Any) -> str:
    """As though somebody had signed in; the token."""
    new = new_token()
    session.execute(ACCOUNT_SESSION.insert().values(token_sha256=new.digest, **values))
    return new.token


def _row_id(session: Session) -> int:
    return int(session.execute(text("SELECT nextval('row_id')")).scalar_one())
