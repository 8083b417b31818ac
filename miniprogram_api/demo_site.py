"""演示 (demo): what stands beside a site to be tried out: WeChat, invented people, accounts.

The people are brought by a process beside the site, which does not wait for them.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from backend.kernel.crypto import Keyring
from backend.kernel.database import transaction
from backend.kernel.settings import PROJECT, Settings
from miniprogram_api import demo_people, demo_residents, demo_sheet, demo_staff, serving
from miniprogram_api.demo_people import Brought
from miniprogram_api.demo_sheet import Addresses
from miniprogram_api.demo_wechat import Simulator
from miniprogram_api.serving import ServingFailed

PRODUCTION: Final = "正式运行时不能启动演示：请删去 SHUKUN_PRODUCTION，或用 shukun serve。"


@dataclass(frozen=True, slots=True)
class Told:
    """What came of bringing them. `brought` None: they were there. `sheet`: who is who."""

    brought: Brought | None
    sheet: Path


def fitting(settings: Settings) -> Settings:
    """The settings for a demo: text messages are written down. Raises `ServingFailed`."""
    if settings.production:
        raise ServingFailed(PRODUCTION)
    (settings.data / demo_sheet.FILE).unlink(missing_ok=True)  # of a demo that has ended
    return replace(settings, sms="record")


@contextmanager
def beside(
    settings: Settings, database_url: str, site: str, wechat: Simulator | None
) -> Iterator[Callable[[], None]]:
    """Connect WeChat with the site and bring the people, by a process that is gone with the block.

    Yields what must be called at every look: it raises `ServingFailed` when the simulator is gone.
    """
    asked = ["--site", site]
    if wechat is not None:
        wechat.push_to(site)
        asked += ["--phones", wechat.phones]
        asked += [word for user in wechat.users for word in ("--user", user)]
    process = subprocess.Popen(
        [sys.executable, "-m", "miniprogram_api", "demo-people", *asked],
        env=serving.environment(settings, settings.database_worker_url or database_url),
        cwd=PROJECT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield (lambda: None) if wechat is None else wechat.check
    finally:
        if process.poll() is None:
            serving.stop(process)


def bring(settings: Settings, keyring: Keyring, at: Addresses) -> Told | None:
    """Bring people and accounts, and write the sheet; None where the register holds others.

    Opens its own transactions, as `worker`.
    """
    brought = demo_people.bring(settings.data / "demo", keyring, settings.catalogue)
    with transaction() as session:
        if not demo_people.are_there(session):
            return None
        residents = demo_residents.residents(session, keyring, max(len(at.users), 1))
        demo_staff.employ_carers(session, keyring, residents)
    staff = demo_staff.bring(settings.data, keyring, residents[0].village)
    return Told(brought, demo_sheet.write_sheet(settings.data, at, residents, staff))
