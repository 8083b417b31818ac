"""存档 (archive): the catalogue's files as text, and the policy book made from them again later."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from backend.policies.book import PolicyBook
from backend.policies.catalogue import HOME, load_catalogue


def archive(extra: Sequence[Path] = ()) -> dict[str, str]:
    """Every file of the catalogue: `0/wuxi-2022-98/benefits.yaml` → its text.

    The number is the folder's place: 0 the project's own, then the locality's.
    """
    return {
        f"{number}/{path.relative_to(home).as_posix()}": path.read_text(encoding="utf-8")
        for number, home in enumerate((HOME, *extra))
        for path in sorted(home.rglob("*.yaml"))
    }


def unarchive(files: Mapping[str, str]) -> PolicyBook:
    """The book that the archived files make. Raises `CatalogueError` where they are not whole."""
    with tempfile.TemporaryDirectory(prefix="shukun-catalogue-") as folder:
        root = Path(folder)
        for name, text in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        home, *extra = sorted(root.iterdir(), key=lambda path: int(path.name))
        return load_catalogue(extra, home)
