"""亲属回避 (kin): who a member of staff is in the register, so that nobody decides for their own.

What follows from it the database asks at every step (`concerned_in`): the own case, the household,
guardians and wards, and those for whom an authority is recorded.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from backend.accounts.residents import UnknownPerson
from backend.accounts.staff_admin import staff_of
from backend.applications.tables import STAFF_PERSON
from backend.citizens.id_number import normalise
from backend.citizens.lookup import find_people
from backend.kernel import audit
from backend.kernel.audit import Subject
from backend.kernel.crypto import Keyring
from backend.kernel.errors import Fault

_UNKNOWN: Final = "登记里没有这个身份证号：请核对号码；本人不在登记里的，不用填。"


def record_staff_person(
    session: Session, keyring: Keyring, staff_no: str, number: str, by: str
) -> int:
    """Write down who a member of staff is; the person's id. As `worker`.

    Raises `UnknownStaff`, `UnknownPerson`.
    """
    employee = staff_of(session, staff_no)
    person = find_people(session, keyring, [normalise(number)]).get(normalise(number))
    if person is None or not person.known:
        raise UnknownPerson(Fault("/id_number", _UNKNOWN))
    new = insert(STAFF_PERSON).values(staff_id=employee.id, person_id=person.id, recorded_by=by)
    session.execute(
        new.on_conflict_do_update(
            index_elements=["staff_id"],
            set_={"person_id": person.id, "recorded_by": by},
        )
    )
    audit.record(
        session, actor=by, action="staff.person", subject=Subject("staff", staff_no),
        detail={"person": person.id},
    )  # fmt: skip
    return person.id
