"""演示账号 (demo staff): somebody who may see the demo's runs, made once; the secrets in a file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from backend.accounts.duties import NewDuty, grant_duty
from backend.accounts.staff_admin import FirstCredentials, UnknownStaff, add_staff, staff_of
from backend.kernel.clock import today
from backend.kernel.crypto import Keyring
from backend.kernel.database import transaction
from miniprogram_api.demo_people import AREAS, BY

STAFF_NO: Final = "demo"
FILE: Final = "staff-account.txt"
TEXT: Final = """\
工号：{0.staff_no}
初始口令：{0.password}
第一次登录时要换成新口令（至少 10 个字符）。
动态码：把下面的地址加进手机上的验证器；或者运行 shukun staff code '地址'。
{0.enrolment}
"""


def bring(folder: Path, keyring: Keyring) -> Path:
    """The account, where there is none yet, as `worker`; the file that tells how to sign in."""
    path = folder / FILE
    with transaction() as session:
        try:
            staff_of(session, STAFF_NO)
        except UnknownStaff:
            given = add_staff(session, keyring, STAFF_NO, "演示人员", BY)
            for area in AREAS:
                grant_duty(session, NewDuty(given.staff_id, "county_officer", area, today()), BY)
            _write(path, given)
    return path


def _write(path: Path, given: FirstCredentials) -> None:
    """For its owner alone."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(TEXT.format(given))
