"""演示纸条 (demo sheet): one file that tells people, and shells, who is who in a demo."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Final

from backend.accounts.duties import ROLE_NAMES
from miniprogram_api.demo_residents import Resident
from miniprogram_api.demo_site import SHEET
from miniprogram_api.demo_staff import StaffAccount, write_private

_HEAD: Final = """\
# 演示用的地址、居民和账号：都是编造的，只在这台机器上、只供演示。每次启动重新写。
# 在终端里用：. {here}
SITE={site}
DEMO={folder}

"""
_PHONES: Final = """\
# 模拟的手机：phone 谁 做什么 [内容]，例如 phone resident1 login。
# 能做什么，见 docs/wechat-simulator.md。
PHONES={phones}
phone() {{
  case $2 in inbox) curl -s "$PHONES/$1/inbox" ;; *) curl -s "$PHONES/$1/$2" -d "${{3-}}" ;; esac
}}

"""
_PICK: Final = """\
# pick 成员：从答复里取出一个成员。
pick() {{ {python} -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }}

"""
_RESIDENTS: Final = "# 居民：模拟的手机上的用户，登记里的姓名、身份证号、编号。\n"
_STAFF: Final = """
# 工作人员：工号、口令、动态码的地址。现在的动态码：script/shukun staff code "$…_CODES"
"""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Of a demo that runs. `phones`: where testers act as WeChat users; "": without simulator."""

    site: str
    phones: str
    users: Sequence[str]


def write_sheet(
    folder: Path, at: Addresses, residents: Sequence[Resident], staff: Sequence[StaffAccount]
) -> Path:
    """Write it, readable by its owner alone; where it is."""
    path = folder / SHEET
    head = _HEAD.format(here=path, site=quote(at.site), folder=quote(str(folder)))
    parts = [head, _PICK.format(python=quote(sys.executable))]
    if at.phones:
        parts.append(_PHONES.format(phones=quote(at.phones)))
    parts += [_RESIDENTS, *_of_residents(at.users, residents), _STAFF, *_of_staff(staff)]
    write_private(path, "".join(parts))
    return path


def _of_residents(users: Sequence[str], residents: Sequence[Resident]) -> Iterator[str]:
    for user, one in zip(users, residents, strict=False):
        name = user.upper()
        yield f"{name}_NAME={quote(one.name)}\n{name}_NUMBER={quote(one.number)}\n"
        yield f"{name}_PERSON={one.person_id}\n"


def _of_staff(staff: Sequence[StaffAccount]) -> Iterator[str]:
    for one in staff:
        name = one.role.upper()
        yield f"# {ROLE_NAMES[one.role]}\n{name}={quote(one.staff_no)}\n"
        yield f"{name}_PASSWORD={quote(one.password)}\n{name}_CODES={quote(one.enrolment)}\n"
