from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from importlinter.application.use_cases import lint_imports
from importlinter.configuration import configure

from backend.kernel.settings import PROJECT

BACKEND = sorted((PROJECT / "backend").rglob("*.py"))
WIRE = {"flask", "werkzeug", "marshmallow", "webargs", "apispec", "flask_smorest", "json"}


def imported(path: Path) -> Iterator[str]:
    """The top-level names of the modules that a file imports, inside functions too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module or ""


def test_the_direction_of_imports_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(PROJECT)
    configure()
    assert lint_imports(config_filename="pyproject.toml", cache_dir=None), "run lint-imports"


def test_the_layers_name_every_folder_of_the_domain() -> None:
    config = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = config["tool"]["importlinter"]["contracts"]
    layers = next(one for one in contracts if one["id"] == "layers")
    assert layers["exhaustive"] is True
    assert set(layers["layers"]) == {
        path.parent.name for path in (PROJECT / "backend").glob("*/__init__.py")
    }


@pytest.mark.parametrize("path", BACKEND, ids=lambda path: str(path.relative_to(PROJECT)))
def test_the_domain_knows_neither_http_nor_json(path: Path) -> None:
    names = {name.split(".")[0] for name in imported(path)}
    assert not names & WIRE
    if path != PROJECT / "backend" / "kernel" / "database.py":
        assert "flask_sqlalchemy" not in names


def test_each_capability_has_the_same_name_in_both_packages() -> None:
    own = {"health", "pages", "cli"}
    folders = {path.parent.name for path in (PROJECT / "miniprogram_api").glob("*/__init__.py")}
    assert folders - own <= {path.name for path in (PROJECT / "backend").iterdir()}
