"""The OpenAPI document as a file, so that a change of the interface shows in review."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from backend.kernel.settings import Settings
from miniprogram_api.app import create_app


def text() -> str:
    """The document of the application as it stands, indented; needs no database."""
    document = create_app(Settings()).extensions["openapi"]()
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(text(), encoding="utf-8")
