"""What stands in a YAML file of the tests, read by libyaml: collecting the tests reads many."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml


def from_yaml(path: Path) -> Any:
    """The document of the file."""
    return yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
