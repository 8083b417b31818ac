"""Words that mean the same: kept as data, checked when read, added to by a place."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.policies.catalogue import CatalogueError, load_catalogue
from backend.policies.search.find import Search, find_clauses
from backend.policies.search.synonyms import Synonyms
from backend.policies.shared_shapes import SynonymsShape
from tests.support.questions import DAY


def ideas(text: str, *, asked: bool, groups: list[SynonymsShape]) -> list[tuple[str, int, int]]:
    found = Synonyms(groups).ideas(text, asked=asked)
    return [(term.text, term.start, term.end) for term in found]


GROUPS = [SynonymsShape(("大病",), ("绝症",)), SynonymsShape(("大病保险", "大病医保"))]


def test_of_words_inside_each_other_the_longest_counts() -> None:
    assert ideas("大病保险", asked=True, groups=GROUPS) == [("@1", 0, 4)]


def test_ways_of_asking_count_in_questions_only() -> None:
    assert ideas("得了绝症", asked=True, groups=GROUPS) == [("@0", 2, 4)]
    assert ideas("得了绝症", asked=False, groups=GROUPS) == []


def test_traditional_words_in_the_file_are_known_too() -> None:
    groups = [SynonymsShape(("醫療互助", "互助金"))]
    assert ideas("医疗互助", asked=False, groups=groups) == [("@0", 0, 4)]


def test_a_place_adds_words_of_its_own(tmp_path: Path) -> None:
    search = Search("黄马褂", DAY, policy="wuxi-2022-98")
    assert not find_clauses(load_catalogue(), search).hits
    (tmp_path / "synonyms.yaml").write_text("- {words: [押金], asked: [黄马褂]}\n", "utf-8")
    hits = find_clauses(load_catalogue([tmp_path]), search).hits
    assert hits[0].clause.anchor == "七(十五)"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("- {words: [押金]}\n", "至少写两个词"),
        ("- {words: [], asked: [押金, 定金]}\n", "至少一个"),
        ("- {words: [押金, 押金]}\n", "写了两次"),
        ("- {words: [押金, 钱]}\n", "太短"),
        ("- {words: [押金, 定金], also: []}\n", "also"),
    ],
)
def test_a_fault_names_its_line_and_reason(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "synonyms.yaml").write_text("# 本地的说法\n" + text, "utf-8")
    with pytest.raises(CatalogueError) as caught:
        load_catalogue([tmp_path])
    (fault,) = caught.value.faults
    assert (fault.file, fault.line) == ("synonyms.yaml", 2)
    assert reason in fault.reason
