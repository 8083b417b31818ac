"""The pages about departments' files say what the program takes, in both languages."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path

import click
import polars as pl
import pytest
from sqlalchemy import Engine

from backend.citizens.exchange import cells, complete, csv_file, registry, words, xlsx_file
from backend.citizens.exchange.forms import FORMS
from backend.citizens.exchange.kinds import KINDS, LONGEST_KEY, Field, fields
from backend.citizens.exchange.mapping import PLACES, MappingShape, load_mapping
from backend.citizens.exchange.spellings import DAY_FORMS
from backend.citizens.tables import LAYERS, NOT_SETTLED
from backend.kernel.crypto import Keyring
from backend.kernel.database import transaction
from backend.kernel.money import MAX_FEN, format_yuan
from backend.kernel.settings import PROJECT
from backend.matching.applicable import Applicable
from backend.matching.export import Granted
from backend.payments import accounts, bank_file, payees, returns
from backend.payments.rows import Column
from miniprogram_api.cli.export import could_apply, grants
from miniprogram_api.cli.import_ import import_
from miniprogram_api.cli.payments import pay
from tests.support.delivery import Office
from tests.support.readme import blocks

PAGES = (PROJECT / "docs" / "files.zh-CN.md", PROJECT / "docs" / "files.md")
TODAY = date(2026, 1, 1)
YES = ("是", "yes")
NOT_EMPTY = ("不能空", "not allowed")
UNSETTLED = ("还没有结算", "not settled yet")
AND = "；"
COLUMN_OF = {
    "person_id": "id_number", "household_id": "household_no", "from_on": "from", "on_day": "on",
    "code": "hospital_code",
}  # fmt: skip
"""Column of a table → of the file that says it, where they differ."""
NEWBORN = ("guardian_id_number", "name", "born_on")
YAML_WORDS = ("yes", "no", "on", "off")
REJECTS = ("line", "column", "reason")

Table = list[list[str]]


def tables(text: str) -> dict[str, Table]:
    """The rows of each table, under the first code in the head's first cell."""
    found: dict[str, Table] = {}
    for table in re.findall(r"(?:^\|.*\n)+", text, re.M):
        head, _, *rows = [line.strip("|").split(" | ") for line in table.splitlines()]
        if named := codes(head[0]):
            assert named[0] not in found, named[0]
            found[named[0]] = [[cell.strip() for cell in row] for row in rows]
    return found


def codes(cell: str) -> list[str]:
    return re.findall(r"`([^`\n]+)`", cell)


def code(cell: str) -> str:
    return codes(cell)[0]


def by_code(known: words.Words) -> dict[str, set[str]]:
    """Code → what may be written for it beside the code."""
    return {
        code: {word for word, meant in known.items() if meant == code and word != code}
        for code in dict.fromkeys(known.values())
    }


def spoken(known: Mapping[str, Sequence[str]]) -> dict[str, set[str]]:
    return {code: set(said) for code, said in known.items()}


WORDS: Mapping[str, Mapping[str, set[str]]] = {
    "rural": by_code(cells._FLAGS),
    **{name: by_code(words.words_of(f"{name}s")) for name in ("role", "event", "tier")},
    "insurance": by_code(words.words_of("insurance")),
    "sex": by_code(words.words_of("sexes")),
    "category": by_code(words.categories()),
    "department": by_code(words.departments()),
    "setting": by_code(words.settings()),
    "disease_group": by_code(words.disease_groups()),
    "relationship": spoken(payees.RELATIONSHIPS),
    "result": spoken(returns.RESULTS),
}
FILES: Mapping[str, Sequence[str]] = {
    "shukun pay file": bank_file.COLUMNS,
    "shukun export grants": Granted._fields,
    "shukun export could-apply": Applicable._fields,
    "--rejects": REJECTS,
    "--mapping": MappingShape.__struct_fields__,
}
PAYMENTS = {"shukun pay payees": payees.COLUMNS, "shukun pay returns": returns.COLUMNS}
COMMANDS = (
    import_,
    grants,
    could_apply,
    *(pay.commands[name] for name in ("payees", "hospital", "file", "returns")),
)


# -- what is compared, each a fault in words ---------------------------------------------------


def kinds(found: Mapping[str, Table]) -> Iterator[str]:
    rows = found["KIND"]
    if tuple(code(row[0]) for row in rows) != KINDS:
        yield "the kinds differ"
    for row in rows:
        kind = code(row[0])
        key = FORMS[kind].key if kind in FORMS else ("id_number", *NEWBORN)
        if codes(row[2]) != [COLUMN_OF.get(one, one) for one in key if one != "application_id"]:
            yield f"{kind}: what makes a row differs"
        if (row[3] in YES) != (kind in complete.KINDS):
            yield f"{kind}: --complete differs"


def columns(found: Mapping[str, Table]) -> Iterator[str]:
    for kind in KINDS:
        known = fields(kind, TODAY)
        if [code(row[0]) for row in found[kind]] != [field.name for field in known]:
            yield f"{kind}: the columns differ"
            continue
        for field, row in zip(known, found[kind], strict=True):
            if (row[1] in YES) != field.required:
                yield f"{kind}: {field.name}: needed or not differs"
            if not empty_fits(field, row[2]):
                yield f"{kind}: {field.name}: the empty cell differs"


def empty_fits(field: Field, told: str) -> bool:
    """Whether an empty cell is refused, or means what the page says."""
    parsed = field.parse(pl.Series([""]))
    if parsed.bad[0] or told in NOT_EMPTY:
        return bool(parsed.bad[0]) == (told in NOT_EMPTY)
    if meant := codes(told):
        return bool(parsed.values[0] == field.parse(pl.Series(meant)).values[0])
    return bool(parsed.values[0] == NOT_SETTLED) == (told in UNSETTLED)


def said(found: Mapping[str, Table]) -> Iterator[str]:
    for name, known in WORDS.items():
        told = {code(row[0]): set(row[1].split(AND)) for row in found[name]}
        if told != known:
            yield f"{name}: the words differ"
    told_reasons = [(row[0], tuple(row[1].split(AND))) for row in found["reason"]]
    if told_reasons[:-1] != list(returns.REASONS.items()):
        yield "the reasons differ"
    if told_reasons[-1][0] != returns.OTHER_REASON:
        yield "the last reason differs"


def other_files(found: Mapping[str, Table]) -> Iterator[str]:
    for name, known in FILES.items():
        if [code(row[0]) for row in found[name]] != list(known):
            yield f"{name}: the columns differ"
    for name, taken in PAYMENTS.items():
        told = [
            Column(code(row[0]), tuple(row[2].split(AND)), row[1] in YES) for row in found[name]
        ]
        if told != list(taken):
            yield f"{name}: the columns differ"
    rows = {code(row[0]): codes(row[1]) for row in found["--mapping"]}
    if rows["dates"] != list(DAY_FORMS) or set(rows["money"]) != set(PLACES):
        yield "ways of writing days, or units, differ"


def options_of(*commands: click.Command) -> set[str]:
    return {
        name
        for command in commands
        for option in command.params
        if isinstance(option, click.Option) and not option.hidden
        for name in option.opts
    }


def named(text: str) -> Iterator[str]:
    """Codes and options that the program does not know, or that are missing."""
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.S | re.M)
    spans = codes(prose)
    known = {*KINDS, *YAML_WORDS, *(field.name for kind in KINDS for field in fields(kind, TODAY))}
    known |= {name for columns in FILES.values() for name in columns}
    known |= {column.name for columns in PAYMENTS.values() for column in columns}
    known |= {code for words in WORDS.values() for code in words} | {"paid_"}
    for span in spans:
        if re.fullmatch("[a-z][a-z0-9_]*", span) and span not in known:
            yield f"{span} is nothing that the program knows"
    missing = {name for name in known - {*YAML_WORDS} if name not in spans}
    yield from (f"{name} is missing" for name in sorted(missing))
    given = set(re.findall(r"--[a-z][a-z-]*", text))
    if not options_of(import_) <= given <= options_of(*COMMANDS):
        yield "the options differ"


def limits(text: str) -> Iterator[str]:
    largest = (
        f"{xlsx_file.LARGEST >> 20} MB", f"{xlsx_file.LARGEST_UNPACKED >> 20} MB",
        f"{xlsx_file.LARGEST_SHEET}", f"{csv_file.LONGEST_RECORD}", f"{cells.LONGEST_TEXT}",
        f"{LONGEST_KEY}", f"{accounts.SHORTEST}", f"{accounts.LONGEST}", f"{payees.LONGEST_TEXT}",
        f"{cells.FIRST_DAY}", f"{cells.LAST_DAY}", format_yuan(MAX_FEN), bank_file.PURPOSE,
    )  # fmt: skip
    for one in largest:
        if not re.search(rf"(?<!\d){re.escape(one)}(?!\d)", text):
            yield f"{one} does not stand there"


CHECKS: Sequence[Callable[[Mapping[str, Table]], Iterator[str]]] = (
    kinds, columns, said, other_files,
)  # fmt: skip


def faults(text: str) -> list[str]:
    found = tables(text)
    return [*(one for check in CHECKS for one in check(found)), *named(text), *limits(text)]


# -- what is promised --------------------------------------------------------------------------


@pytest.fixture(params=PAGES, ids=lambda path: path.name)
def page(request: pytest.FixtureRequest) -> str:
    path: Path = request.param
    return path.read_text(encoding="utf-8")


def test_a_page_says_what_the_program_takes(page: str) -> None:
    assert faults(page) == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("| `in_county` |", "| `in_town` |"),  # a column
        ("`certificate_no`", "`certificate_number`"),
        ("| `1` | ", "| `0` | "),  # what an empty cell means
        ("网格员", "网格"),  # words
        ("| 孤儿 |", "| 孤儿；困境儿童 |"),
        ("；退票", ""),
        ("`household_no`、", "`household_no`、`name`、"),  # what makes a row
        ("--undo", "--redo"),
        ("33554432", "33554431"),
        ("银行卡号", "卡号"),  # a header
        ("`YYYY.M.D`", "`YY.M.D`"),
        ("`万元`", "`百元`"),
        ("| `purpose` |", "| `use` |"),
    ],
)
def test_a_page_that_is_wrong_is_found_out(page: str, right: str, wrong: str) -> None:
    changed = page.replace(right, wrong, 1).replace(right.replace("、", ", "), wrong, 1)
    assert changed != page
    assert faults(changed) != []


@pytest.mark.parametrize("kind", KINDS)
def test_every_word_of_the_pages_is_taken(kind: str) -> None:
    for field in fields(kind, TODAY):
        for code_, beside in WORDS.get(field.name, {}).items():
            parsed = field.parse(pl.Series([code_, *sorted(beside)]))
            assert not parsed.bad.any(), field.name
            assert parsed.values.n_unique() == 1, field.name


def test_both_pages_hold_the_same_words_and_examples() -> None:
    chinese, english = ([(block.kind, block.text) for block in blocks(page)] for page in PAGES)
    assert chinese == english
    assert [kind for kind, _ in chinese] == ["yaml", "csv", "console"]


def test_every_layer_has_its_column() -> None:
    paid = [field.name for field in fields("bills", TODAY) if field.name.startswith("paid_")]
    assert paid == [f"paid_{layer}" for layer in (*LAYERS, "out_of_scope")]


def test_the_example_of_a_mapping_is_imported(worker_database: Engine, tmp_path: Path) -> None:
    shown = {block.kind: block.text for block in blocks(PAGES[0])}
    (tmp_path / "map.yaml").write_text(shown["yaml"], encoding="utf-8")
    roster, rejects = tmp_path / "roster.csv", tmp_path / "rejects.csv"
    roster.write_text(shown["csv"], encoding="utf-8")
    office = Office(worker_database, tmp_path, Keyring.open_or_create(tmp_path / "keys.json"))
    mapping = load_mapping(tmp_path / "map.yaml")
    report = office.load_path("identities", roster, mapping=mapping)
    assert (report.rows, report.added, report.rejected) == (1, 1, 0)
    assert report.notes == ("没有用到的列：姓名",)
    (row,) = office.content()["identities"]
    assert {"320281190001010010", "subsistence_allowance", "civil_affairs"} <= {*map(str, row)}
    with transaction() as session:
        registry.write_rejects(session, report.serial, rejects)
    assert rejects.read_text(encoding="utf-8").strip() == ",".join(REJECTS)
