"""A process that calls WeChat once: `python -m tests.support.caller FOLDER`.

It says `ready` on a line, waits for the file `go`, calls, and says what came of it.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from backend.kernel import database, keys
from backend.kernel.settings import Settings
from backend.wechat import connection
from backend.wechat.calls import templates
from backend.wechat.errors import WeChatError


def main(folder: Path) -> None:
    settings = Settings.from_env(os.environ)
    assert settings.database_url is not None
    database.bind(database.engine_for(settings.database_url, role="app"))
    keys.bind(settings.key_file)
    connection.bind(settings.wechat)
    print("ready", flush=True)
    while not (folder / "go").exists():
        time.sleep(0.005)
    try:
        print(f"{len(templates(connection.mini_program()))} templates", flush=True)
    except WeChatError as error:
        print(error, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
