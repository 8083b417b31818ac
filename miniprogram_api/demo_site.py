"""演示 (demo): what stands beside a site to be tried out: WeChat, invented people, accounts.

The people are brought by a process beside the site, which does not wait for them:
`demo_bringing`.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from backend.kernel.settings import DEFAULT_SITE, PROJECT, Settings
from miniprogram_api import serving
from miniprogram_api.demo_wechat import Simulator
from miniprogram_api.serving import ServingFailed

SHEET: Final = "demo.sh"
"""Who is who, in the folder of the data."""
PRODUCTION: Final = "正式运行时不能启动演示：请删去 SHUKUN_PRODUCTION，或用 shukun serve。"


def fitting(settings: Settings) -> Settings:
    """The settings for a demo: text messages are written down. Raises `ServingFailed`."""
    if settings.production:
        raise ServingFailed(PRODUCTION)
    (settings.data / SHEET).unlink(missing_ok=True)  # of a demo that has ended
    return replace(settings, sms="record")


def reached_at(settings: Settings, site: str) -> Settings:
    """The settings of a demo that listens there: letters and their codes name that address, unless
    another one was set."""
    return replace(settings, site=site) if settings.site == DEFAULT_SITE else settings


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
