"""演示纸条 (demo sheet): one file that tells people, and shells, who is who in a demo."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Final

from backend.accounts.duties import ROLE_NAMES
from miniprogram_api.demo_residents import Resident
from miniprogram_api.demo_shell import ACTING, PHONES, PICK
from miniprogram_api.demo_site import SHEET
from miniprogram_api.demo_staff import StaffAccount, write_private

_HEAD: Final = """\
# 演示用的地址、居民和账号：都是编造的，只在这台机器上、只供演示。每次启动重新写。
# 在终端里用：. {here}
SITE={site}
DEMO={folder}

"""
_RESIDENTS: Final = """\
# 居民：模拟的手机上的用户，登记里的姓名、身份证号、编号；BILL：申请时可以写的费用单。
# resident、jiangyin 在江阴，zhangjiagang 在张家港，yueqing 在乐清，tinghu 在亭湖。
"""
_STAFF: Final = """
# 工作人员：工号、口令、动态码的地址。现在的动态码：script/shukun staff code "$…_CODES"
# 各地办案的，名字以地方开头：REVIEWER 乡镇初审，OFFICER 县里审批，
# 带 2 的是另一个人，DOCTOR 家庭医生。亭湖的政策没有写明施行日期，要先确认才能申请专项救助：
# script/shukun policy confirm tinghu-trial --from 2022-03-01
"""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Of a demo that runs. `phones`: where testers act as WeChat users; "": without simulator."""

    site: str
    phones: str
    users: Sequence[str]


def write_sheet(
    folder: Path, at: Addresses, phones: Mapping[str, Resident], staff: Sequence[StaffAccount]
) -> Path:
    """Write it, readable by its owner alone; where it is. `phones`: user → who holds it. Tokens
    that the functions of an earlier sheet kept are gone."""
    for old in folder.glob("token-*"):
        old.unlink()
    path = folder / SHEET
    head = _HEAD.format(here=path, site=quote(at.site), folder=quote(str(folder)))
    parts = [head, PICK.format(python=quote(sys.executable))]
    if at.phones:
        parts.append(PHONES.format(phones=quote(at.phones)))
    parts.append(ACTING.format(python=quote(sys.executable)))
    parts += [_RESIDENTS, *_of_residents(phones), _STAFF, *_of_staff(staff)]
    write_private(path, "".join(parts))
    return path


def _of_residents(phones: Mapping[str, Resident]) -> Iterator[str]:
    for user, one in phones.items():
        name = user.upper()
        yield f"{name}_NAME={quote(one.name)}\n{name}_NUMBER={quote(one.number)}\n"
        yield f"{name}_PERSON={one.person_id}\n"
        if one.bill is not None:
            yield f"{name}_BILL={one.bill}\n"


def _of_staff(staff: Sequence[StaffAccount]) -> Iterator[str]:
    for one in staff:
        name = (one.code or one.role).upper()
        yield f"# {one.place}{ROLE_NAMES[one.role]}\n{name}={quote(one.staff_no)}\n"
        yield f"{name}_PASSWORD={quote(one.password)}\n{name}_CODES={quote(one.enrolment)}\n"
