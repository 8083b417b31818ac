"""演示账号 (demo staff): one account of every role, and in each place two people for every desk
that decides; made once, their secrets in a file.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from backend.accounts.duties import ROLE_NAMES, NewDuty, grant_duty
from backend.accounts.passwords import first_password, keep
from backend.accounts.staff_admin import UnknownStaff, add_staff, reset_password, staff_of
from backend.accounts.staff_tables import STAFF
from backend.citizens.tables import ASSIGNMENT
from backend.kernel.clock import today
from backend.kernel.crypto import Keyring
from backend.kernel.database import transaction
from miniprogram_api.demo_people import AREAS, BY
from miniprogram_api.demo_residents import COUNTY, Resident

FILE: Final = "demo-staff.json"
CITY: Final = "320200"
_TOWNSHIP_DIGITS: Final = 9


PLACES: Final = {
    "jiangyin": ("320281", "江阴"), "zhangjiagang": ("320582", "张家港"),
    "yueqing": ("330382", "乐清"), "tinghu": ("320902", "亭湖"),
}  # fmt: skip
TOWNSHIP: Final = "101"
"""In each place: where its applicant lives."""
DESKS: Final = {
    "reviewer": "township_reviewer", "reviewer2": "township_reviewer",
    "officer": "county_officer", "officer2": "county_officer", "doctor": "family_doctor",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Post:
    """Whom a demo employs. `place`: its name, "": that of the residents, whose desks need no
    other name."""

    code: str
    role: str
    areas: Sequence[str]
    place: str = ""

    @property
    def staff_no(self) -> str:
        """What they sign in with."""
        return f"demo-{self.code.replace('_', '-')}"


@dataclass(frozen=True, slots=True)
class StaffAccount:
    """How to sign in. `enrolment`: the otpauth address of the one-time codes; `code`: by what the
    sheet calls it, "": by its role."""

    role: str
    staff_no: str
    password: str
    enrolment: str
    code: str = ""
    place: str = ""


def bring(folder: Path, keyring: Keyring, village: str) -> Sequence[StaffAccount]:
    """An account of every role, those below the county for this village, and of every desk of each
    place; as `worker`.

    Accounts whose secrets are not in the file any more get new ones.
    """
    path = folder / FILE
    known = {one.staff_no: one for one in _kept(path)}
    with transaction() as session:
        accounts = [
            _account(session, keyring, post, known.get(post.staff_no)) for post in _posts(village)
        ]
    write_private(path, msgspec.json.encode(accounts).decode())
    return accounts


def employ_carers(session: Session, keyring: Keyring, people: Sequence[Resident]) -> int:
    """Accounts for who looks after these people by number and has none; how many are new. Nobody
    signs in with them, but they have a name, and can be delegated to.
    """
    villages = {one.person_id: one.village for one in people}
    missing = session.execute(
        select(ASSIGNMENT.c.role, ASSIGNMENT.c.staff_no, func.min(ASSIGNMENT.c.person_id))
        .where(
            ASSIGNMENT.c.person_id.in_(villages),
            ASSIGNMENT.c.staff_no.not_in(select(STAFF.c.staff_no)),
        )
        .group_by(ASSIGNMENT.c.role, ASSIGNMENT.c.staff_no)
        .order_by(ASSIGNMENT.c.staff_no)
    ).all()
    for role, staff_no, person in missing:
        given = add_staff(session, keyring, staff_no, f"演示{ROLE_NAMES[role]}", BY)
        for area in _duties(villages[person])[role]:
            grant_duty(session, NewDuty(given.staff_id, role, area, today()), BY)
    return len(missing)


def write_private(path: Path, content: str) -> None:
    """A file for its owner alone, there whole or not at all."""
    draft = path.with_name(f".{path.name}.draft")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(content)
    draft.replace(path)


def _duties(village: str) -> Mapping[str, Sequence[str]]:
    """Role → areas of its duties."""
    township = village[:_TOWNSHIP_DIGITS]
    return {
        **dict.fromkeys(ROLE_NAMES, (COUNTY,)),
        "family_doctor": (township,),
        "village_coordinator": (village,),
        "cadre": (village,),
        "township_reviewer": (township,),
        "county_officer": AREAS,
        "city_officer": (CITY,),
    }


def _posts(village: str) -> Iterator[Post]:
    for role, areas in _duties(village).items():
        yield Post(role, role, areas)
    for place, (county, name) in PLACES.items():
        for desk, role in DESKS.items():
            area = county if role == "county_officer" else county + TOWNSHIP
            yield Post(f"{place}_{desk}", role, (area,), name)


def _account(
    session: Session, keyring: Keyring, post: Post, known: StaffAccount | None
) -> StaffAccount:
    staff_no = post.staff_no
    try:
        staff_of(session, staff_no)
    except UnknownStaff:
        name = f"演示{post.place}{ROLE_NAMES[post.role]}{'二' if post.code[-1:] == '2' else ''}"
        given = add_staff(session, keyring, staff_no, name, BY)
        for area in post.areas:
            grant_duty(session, NewDuty(given.staff_id, post.role, area, today()), BY)
    else:
        if known is not None:
            return known
        given = reset_password(session, keyring, staff_no, BY)
    password = f"demo-{first_password()}"
    kept = keep(password)
    stays = {
        "password_salt": kept.salt, "password_sha256": kept.sha256, "must_change": False,
    }  # fmt: skip
    session.execute(update(STAFF).where(STAFF.c.id == given.staff_id).values(stays))
    return StaffAccount(post.role, staff_no, password, given.enrolment, post.code, post.place)


def _kept(path: Path) -> Sequence[StaffAccount]:
    if not path.exists():
        return ()
    return msgspec.json.decode(path.read_bytes(), type=list[StaffAccount])
