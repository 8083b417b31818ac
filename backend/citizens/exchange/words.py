"""代码和说法 (codes and their words): what a department may write for a code without a mapping."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from backend.kernel.yaml_file import YamlFile
from backend.policies.catalogue import shared_vocabulary

Words = Mapping[str, str]
"""Word or code → code."""


@cache
def _extra() -> Mapping[str, Mapping[str, list[str]]]:
    path = Path(__file__).with_name("words.yaml")
    return YamlFile(path, path.name).convert(dict[str, dict[str, list[str]]])


@cache
def words_of(sort: str) -> Words:
    """The words of `insurance`, `roles`, `events`, `tiers` or `sexes`."""
    return _unambiguous(_extra()[sort].items())


@cache
def categories() -> Words:
    """Categories by code, name (older and newer) and alias; a word of several is none."""
    return _unambiguous(
        (code, [shape.name, *(renamed.name for renamed in shape.renamed), *shape.aliases])
        for code, shape in shared_vocabulary().categories.items()
    )


@cache
def departments() -> Words:
    """Departments by code, name and the usual short forms."""
    names = shared_vocabulary().shape.departments
    return _unambiguous(
        (code, [name, *_extra()["departments"].get(code, [])]) for code, name in names.items()
    )


@cache
def settings() -> Words:
    """Settings by code and name."""
    return _unambiguous((code, [name]) for code, name in shared_vocabulary().settings.items())


@cache
def disease_groups() -> Words:
    """Disease groups by code and name."""
    return _unambiguous((code, [name]) for code, name in shared_vocabulary().disease_groups.items())


def _unambiguous(codes: Iterable[tuple[str, Iterable[str]]]) -> Words:
    named = [(word, code) for code, words in codes for word in {code, *words}]
    times = Counter(word for word, _ in named)
    return {word: code for word, code in named if times[word] == 1}
