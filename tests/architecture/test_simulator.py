from __future__ import annotations

import ast

from backend.kernel.settings import PROJECT

SIMULATOR = PROJECT / "backend" / "wechat" / "simulator"
COMMAND = PROJECT / "miniprogram_api" / "cli" / "wechat_simulator.py"
NAME = "backend.wechat.simulator"
NEEDED = {"backend.kernel.clock", "backend.kernel.settings_wechat"}


def imported(source: str) -> set[str]:
    """The modules that a file imports, inside functions too."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def of_simulator(source: str) -> set[str]:
    return {name for name in imported(source) if f"{name}.".startswith(f"{NAME}.")}


def test_nothing_but_its_command_and_the_tests_imports_the_simulator() -> None:
    found = [
        str(path.relative_to(PROJECT))
        for name in ("backend", "miniprogram_api", "migrations")
        for path in (PROJECT / name).rglob("*.py")
        if not path.is_relative_to(SIMULATOR)
        and path != COMMAND
        and of_simulator(path.read_text(encoding="utf-8"))
    ]
    assert found == []
    assert of_simulator(COMMAND.read_text(encoding="utf-8")), "the test sees an import"


def test_an_import_is_seen_however_it_is_written() -> None:
    for source in (
        "import backend.wechat.simulator.state",
        "from backend.wechat import simulator",
        "from backend.wechat.simulator import state",
        "def f():\n    from backend.wechat.simulator.state import World",
    ):
        assert of_simulator(source)
    assert not of_simulator("from backend.wechat import push")


def test_the_simulator_needs_next_to_nothing_of_the_program() -> None:
    needed: set[str] = set()
    for path in SIMULATOR.glob("*.py"):
        names = imported(path.read_text(encoding="utf-8"))
        own = {name.rsplit(".", 1)[0] for name in names if name.startswith("backend.")}
        needed |= {name for name in own if not f"{name}.".startswith(f"{NAME}.")}
    assert needed <= NEEDED
