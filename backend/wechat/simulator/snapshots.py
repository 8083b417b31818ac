"""快照 (snapshots): the whole state in a file, to go on with another day."""

from __future__ import annotations

from pathlib import Path

import msgspec

from backend.wechat.simulator.state import Data


class NoSnapshot(ValueError):
    """The file is not a snapshot of this simulator."""


def load(path: Path) -> Data:
    """The state in a file. Raises `NoSnapshot`."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Data)
    except msgspec.DecodeError as error:
        raise NoSnapshot(str(error)) from error


def save(path: Path, data: Data) -> None:
    """Write the state, all of it or nothing."""
    draft = path.with_suffix(f"{path.suffix}.draft")
    draft.write_bytes(msgspec.json.encode(data))
    draft.replace(path)
