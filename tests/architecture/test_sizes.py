from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from backend.kernel.settings import PROJECT

CODE = [path for name in ("backend", "miniprogram_api") for path in (PROJECT / name).rglob("*.py")]
LONGEST_MODULE = 300
LONGEST_FUNCTION = 30
MOST_PARAMETERS = 5
HAN = re.compile(r"[\u4e00-\u9fff]")


def functions(path: Path) -> Iterator[ast.FunctionDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef):
            yield node


def length(function: ast.FunctionDef) -> int:
    """Lines of code and docstring, without decorators."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


def where(path: Path, function: ast.FunctionDef) -> str:
    return f"{path.relative_to(PROJECT)}:{function.lineno} {function.name}"


def test_modules_are_short() -> None:
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in CODE}
    assert {str(path): n for path, n in lines.items() if n > LONGEST_MODULE} == {}


def test_functions_are_short() -> None:
    lengths = {
        where(path, function): length(function) for path in CODE for function in functions(path)
    }
    assert median(lengths.values()) <= 10
    long = {name: lines for name, lines in lengths.items() if lines > LONGEST_FUNCTION}
    assert len(long) <= len(lengths) // 50, long


def test_a_function_with_many_inputs_takes_a_dataclass() -> None:
    def inputs(function: ast.FunctionDef) -> int:
        arguments = function.args
        named = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
        own = [one.arg for one in named]
        return len([name for name in own if name not in ("self", "cls")])

    many = [
        where(path, function)
        for path in CODE
        for function in functions(path)
        if inputs(function) > MOST_PARAMETERS
    ]
    assert many == []


def test_nothing_is_called_utils() -> None:
    vague = {"utils", "util", "helpers", "helper", "common", "misc"}
    assert [path for path in CODE if {path.stem, path.parent.name} & vague] == []


def test_every_package_opens_with_its_chinese_name() -> None:
    packages = [path for path in CODE if path.name == "__init__.py" and path.read_text("utf-8")]
    for path in packages:
        docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        assert HAN.search(docstring.split("\n")[0]), path


def test_faults_are_never_swallowed() -> None:
    silent = [
        f"{path.relative_to(PROJECT)}:{node.lineno}"
        for path in CODE
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ExceptHandler) and isinstance(node.body[0], ast.Pass)
    ]
    assert silent == []


def test_no_file_names_a_place_on_somebodys_machine() -> None:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    home = re.compile(r"(?<![\w.{}$<])/(?:home|Users|root|work)/\w")
    found = [
        name
        for name in listed.stdout.splitlines()
        if (PROJECT / name).is_file()
        and home.search((PROJECT / name).read_text(encoding="utf-8", errors="replace"))
    ]
    assert found == []
