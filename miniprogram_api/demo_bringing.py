"""演示数据 (demo bringing): people, accounts and the sheet, brought to a running demo."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from backend.kernel.crypto import Keyring
from backend.kernel.database import transaction
from backend.kernel.settings import Settings
from miniprogram_api import demo_applicants, demo_people, demo_residents, demo_sheet, demo_staff
from miniprogram_api.demo_people import Brought
from miniprogram_api.demo_sheet import Addresses


@dataclass(frozen=True, slots=True)
class Told:
    """What came of bringing them. `brought` None: they were there. `sheet`: who is who."""

    brought: Brought | None
    sheet: Path


def bring(settings: Settings, keyring: Keyring, at: Addresses) -> Told | None:
    """Bring people and accounts, and write the sheet; None where the register holds others.

    Opens its own transactions, as `worker`.
    """
    brought = demo_people.bring(settings.data / "demo", keyring, settings.catalogue)
    with transaction() as session:
        if not demo_people.are_there(session):
            return None
    demo_applicants.bring(settings.data / "demo" / "applicants", keyring)
    with transaction() as session:
        applicants = demo_applicants.applicants(session, keyring)
        others = [user for user in at.users if user not in applicants]
        residents = demo_residents.residents(session, keyring, max(len(others), 1))
        demo_staff.employ_carers(session, keyring, residents)
    staff = demo_staff.bring(settings.data, keyring, residents[0].village)
    phones = dict(zip(others, residents, strict=False)) | {
        user: one for user, one in applicants.items() if user in at.users
    }
    return Told(brought, demo_sheet.write_sheet(settings.data, at, phones, staff))
