"""The READMEs are true: every command in them is run, every answer shown is the one that comes."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
import pytest

from backend.kernel.settings import PROJECT, Settings
from backend.kernel.yaml_file import YamlFile
from backend.policies import benefit_shapes, procedure_shapes, shapes, shared_shapes
from backend.policies.catalogue import PolicyFiles, load_catalogue, shared_vocabulary
from tests.support import curl
from tests.support.catalogues import SIXTH_POLICY
from tests.support.readme import Example, blocks, disagreements, examples

ENGLISH, CHINESE = PROJECT / "README.md", PROJECT / "README.zh-CN.md"
READMES = (ENGLISH, CHINESE)
GUIDE = PROJECT / "docs" / "adding-a-policy.md"
DOCUMENTS = (*READMES, *sorted((PROJECT / "docs").rglob("*.md")))
EXAMPLES = examples(ENGLISH)
ADDRESS = "http://127.0.0.1:8000"

FILES: Mapping[str, Any] = {
    "document.yaml": shapes.DocumentShape,
    "clauses.yaml": list[shapes.ClauseShape],
    "readings.yaml": list[shapes.ReadingShape],
    "parameters.yaml": list[shapes.ParameterShape],
    "benefits.yaml": benefit_shapes.BenefitsShape,
    "entitlements.yaml": list[shapes.EntitlementShape],
    "services.yaml": list[shapes.ServiceShape],
    "procedures.yaml": list[procedure_shapes.PolicyProcedureShape],
    "localities.yaml": shared_shapes.LocalitiesShape,
    "synonyms.yaml": list[shared_shapes.SynonymsShape],
}
SETTINGS = {
    name
    for module in ("settings.py", "settings_wechat.py")
    for name in re.findall(
        r'"((?:SHUKUN|WECHAT|DATABASE)_\w+)"',
        (PROJECT / "backend" / "kernel" / module).read_text(encoding="utf-8"),
    )
}
"""Every variable that a deployment may set."""
PROJECTS_OWN = ("Shape", "VocabularyShape", "CategoryShape", "RenamedShape", "ConventionShape")
"""Shapes of files that no place writes."""


@dataclass(frozen=True)
class Place:
    """Where commands are run: a folder that looks like the project, beside a running demo."""

    folder: Path
    environ: Mapping[str, str]
    address: str

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        """As typed, but for the demo's port and for where the scripts lie."""
        text = command.replace(ADDRESS, self.address)
        text = re.sub(r"(?<![\w/])script/", f"{PROJECT}/script/", text)
        return subprocess.run(
            ["sh", "-ec", text], cwd=self.folder, env=self.environ, timeout=120,
            capture_output=True, text=True, encoding="utf-8", check=False,
        )  # fmt: skip


@contextmanager
def demo(data: Path, **environ: str) -> Iterator[str]:
    """`script/demo`, and its address; it must end well."""
    errors = data.with_suffix(".log")
    with errors.open("w") as stderr:
        process = subprocess.Popen(
            [PROJECT / "script" / "demo", "--port", "0", "--data", data],
            env={**plain_environ(), **environ}, start_new_session=True,
            stdout=subprocess.PIPE, stderr=stderr, text=True,
        )  # fmt: skip
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line.startswith("ready http://127.0.0.1:"), errors.read_text(encoding="utf-8")
        yield line.removeprefix("ready ").strip()
    finally:
        process.send_signal(signal.SIGTERM)
        status = process.wait(60)
        process.stdout.close()
    assert status == 0


def plain_environ() -> dict[str, str]:
    """As a newcomer has it: nothing configured."""
    return {name: value for name, value in os.environ.items() if name not in SETTINGS}


def curl_in(folder: Path, *, real: str | None) -> str:
    """A folder for the PATH with a curl that fails on errors: the machine's, or the stand-in."""
    folder.mkdir()
    command = f'{real} --fail-with-body "$@"' if real else f'{sys.executable} {curl.__file__} "$@"'
    (folder / "curl").write_text(f"#!/bin/sh\nexec {command}\n")
    (folder / "curl").chmod(0o755)
    return str(folder)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    base = tmp_path_factory.mktemp("readme")
    folder = base / "project"
    folder.mkdir()
    for name in ("backend", "miniprogram_api", "tests", "docs"):
        (folder / name).symlink_to(PROJECT / name)
    path = curl_in(base / "bin", real=shutil.which("curl"))
    environ = plain_environ()
    environ |= {"PATH": f"{path}:{environ['PATH']}", "SHUKUN_DATA": str(base / "data")}
    with demo(base / "data") as address:
        yield Place(folder, environ, address)


@pytest.fixture(scope="module")
def answers(place: Place) -> Mapping[str, subprocess.CompletedProcess[str]]:
    """Every command of the README, run in its order."""
    return {example.command: place.run(example.command) for example in EXAMPLES}


# -- what is promised ------------------------------------------------------------------------


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: f"line {example.line}")
def test_a_command_does_what_is_shown(
    example: Example, answers: Mapping[str, subprocess.CompletedProcess[str]]
) -> None:
    done = answers[example.command]
    assert done.returncode == 0, done.stdout + done.stderr
    if example.shown is not None:
        assert disagreements(example.shown, done.stdout) == []


@pytest.mark.usefixtures("answers")
def test_the_picture_is_drawn(place: Place) -> None:
    assert (place.folder / "what-if.svg").read_text(encoding="utf-8").startswith("<svg")


@pytest.mark.usefixtures("answers")
def test_where_another_port_is_taken_the_address_is_found_as_both_readmes_say(place: Place) -> None:
    told = place.run('. "$SHUKUN_DATA/demo.sh"; printf %s "$SITE"')
    assert told.stdout == place.address
    for path in READMES:
        text = path.read_text(encoding="utf-8")
        assert "demo.sh" in text.partition("--port N")[2].partition("$SITE")[0]


def test_both_readmes_hold_the_same_blocks() -> None:
    english, chinese = (
        [(block.kind, block.text) for block in blocks(path) if block.kind != "console"]
        for path in READMES
    )
    assert english == chinese


def test_a_bill_is_estimated_under_each_policy() -> None:
    asked = "".join(
        one.command for one in EXAMPLES if f"{ADDRESS}/api/v1/estimates " in one.command
    )
    assert {policy for policy in load_catalogue().policies if f'"{policy}"' in asked} == set(
        load_catalogue().policies
    )


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl to compare the stand-in with")
@pytest.mark.parametrize("how", ["/clauses/", "--data-urlencode", "/estimates -H"])
def test_the_stand_in_for_curl_answers_as_curl_does(
    how: str,
    place: Place,
    tmp_path: Path,
    answers: Mapping[str, subprocess.CompletedProcess[str]],
) -> None:
    command = next(one.command for one in EXAMPLES if how in one.command)
    path = curl_in(tmp_path / "bin", real=None)
    plain = Place(place.folder, {**place.environ, "PATH": f"{path}:/usr/bin:/bin"}, place.address)
    assert plain.run(command).stdout == answers[command].stdout


# -- what is listed --------------------------------------------------------------------------


def table(path: Path, first: str) -> list[list[str]]:
    """The rows of the table whose head begins with a word."""
    rows, inside = [], False
    for line in path.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| "):
            inside = inside or cells[0] == first
            if inside:
                rows.append(cells)
        else:
            inside = inside and line.startswith("|-")
    return rows[1:]


@pytest.mark.parametrize(("path", "head"), [(ENGLISH, "variable"), (CHINESE, "变量")])
def test_every_setting_is_listed_with_its_default(path: Path, head: str) -> None:
    listed = {
        name: row[1].strip("`") for row in table(path, head) for name in re.findall(r"\w+", row[0])
    }
    assert set(listed) == SETTINGS
    for name, default in listed.items():
        value = getattr(Settings(), name.removeprefix("SHUKUN_").lower(), None)
        if isinstance(value, int) or name in ("SHUKUN_LOG_LEVEL", "SHUKUN_CIPHER", "SHUKUN_SMS"):
            assert default == str(int(value) if isinstance(value, bool) else value), name


@pytest.mark.parametrize(("path", "head"), [(ENGLISH, "folder"), (CHINESE, "文件夹")])
def test_the_map_names_the_folders_that_exist(path: Path, head: str) -> None:
    named = {folder for row in table(path, head) for folder in re.findall(r"`([^`]+/)`", row[0])}
    assert [folder for folder in named if not (PROJECT / folder).is_dir()] == []
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    top = {f"{name.split('/')[0]}/" for name in tracked.stdout.splitlines() if "/" in name}
    packages = {
        f"{module.parent.relative_to(PROJECT)}/"
        for root in ("backend", "miniprogram_api")
        for module in (PROJECT / root).rglob("__init__.py")
    }
    assert top | packages <= named


@pytest.mark.parametrize("path", READMES, ids=lambda path: path.name)
def test_every_code_is_in_the_glossary_under_its_name(path: Path) -> None:
    words, text = shared_vocabulary(), path.read_text(encoding="utf-8")
    names = {code: category.name for code, category in words.categories.items()}
    for codes in (names, words.layers, words.settings, words.disease_groups, words.flags):
        for code, name in codes.items():
            assert f"`{code}` {name}" in text


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_what_a_document_points_at_exists(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)\s]+)\)", text) if ":" not in link]
    links += [f"{'../' * (len(path.relative_to(PROJECT).parts) - 1)}{script}" for script in
              re.findall(r"(?<![\w/.])(?:script/[\w-]+|\.ci/run)", text)]  # fmt: skip
    missing = [link for link in links if not (path.parent / link.split("#")[0]).exists()]
    assert missing == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_route_and_setting_that_a_document_names_exists(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    known = json.loads((PROJECT / "docs" / "openapi.json").read_text(encoding="utf-8"))["paths"]
    named = set(re.findall(r"`(?:GET |POST )?(/api/v1/[^`?\s]*)", text))
    assert named <= set(known)
    assert set(re.findall(r"`((?:SHUKUN|WECHAT|DATABASE)_\w+)`", text)) <= SETTINGS


# -- the guide to adding a policy ------------------------------------------------------------


def test_the_guide_names_every_field_of_every_file() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    modules = (shapes, benefit_shapes, shared_shapes)
    known = {
        f"{shape.__name__}: {field.encode_name}"
        for module in modules
        for shape in vars(module).values()
        if isinstance(shape, type) and issubclass(shape, shapes.Shape)
        if shape.__name__ not in PROJECTS_OWN
        for field in msgspec.structs.fields(shape)
    }
    assert [name for name in sorted(known) if f"`{name.split(': ')[1]}`" not in text] == []
    assert [name for name in FILES if f"`{name}`" not in text] == []
    assert {f"{name}.yaml" for name in PolicyFiles.__annotations__ if name != "folder"} < set(FILES)


def test_the_guide_shows_files_that_can_be_read(tmp_path: Path) -> None:
    shown = [block for block in blocks(GUIDE) if block.kind == "yaml"]
    assert len(shown) > len(PolicyFiles.__annotations__)
    for block in shown:
        name = block.text.splitlines()[0].removeprefix("# ")
        (tmp_path / name).write_text(block.text, encoding="utf-8")
        YamlFile(tmp_path / name, f"{GUIDE.name}:{block.line}").convert(FILES[name])


# -- a sixth policy, from a folder that the project has never seen ---------------------------


@dataclass(frozen=True)
class Client:
    """Asks a running demo over HTTP."""

    address: str

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(f"{self.address}/api/v1{path}", timeout=30) as answer:
            return json.load(answer)

    def post(self, path: str, body: Any) -> Any:
        request = urllib.request.Request(
            f"{self.address}/api/v1{path}",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)


@pytest.fixture(scope="module")
def sixth(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    base = tmp_path_factory.mktemp("sixth")
    shutil.copytree(SIXTH_POLICY, base / "own")
    with demo(base / "data", SHUKUN_CATALOGUE=str(base / "own")) as address:
        yield Client(address)


INVENTED_BILL = {
    "id": "b1", "setting": "inpatient", "admitted_on": "2024-03-01", "discharged_on": "2024-03-01",
    "total": "1000.00", "in_scope": "1000.00",
}  # fmt: skip
HELD = {"identities": [{"category": "extreme_poverty", "from": "2020-01-01"}]}


def test_a_sixth_policy_is_looked_up(sixth: Client) -> None:
    listed = sixth.get("/policies?on=2024-03-01")["policies"]
    assert {policy["id"] for policy in listed} == {*load_catalogue().policies, "invented-2020"}
    assert (
        sixth.get("/policies?area=331081&on=2024-03-01")["decision"]["decides"] == "invented-2020"
    )
    whole = sixth.get("/policies/invented-2020?on=2024-08-01")
    assert "60%" in json.dumps(whole, ensure_ascii=False)  # from 2024-07-01 on


def test_a_sixth_policy_is_found_by_search(sixth: Client) -> None:
    found = sixth.get(f"/search?area=331081&on=2024-03-01&q={quote('特困人员能救助多少')}")
    assert "invented-2020" in json.dumps(found, ensure_ascii=False)


@pytest.mark.parametrize("by", [{"policy": "invented-2020"}, {"area": "331081"}], ids=str)
def test_a_bill_is_estimated_under_a_sixth_policy(sixth: Client, by: dict[str, str]) -> None:
    answer = sixth.post("/estimates", {**by, "person": HELD, "bills": [INVENTED_BILL]})
    paid = answer["bills"][0]["payments"][0]
    assert (paid["layer"], paid["amount"]) == ("medical_assistance", "500.00")
    assert paid["citation"] == {"document": "虚政发〔2020〕1号", "clause": "一"}
