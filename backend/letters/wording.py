"""文书范本 (templates): the words of each kind of letter, as data, by version."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

import msgspec

from backend.kernel.yaml_file import YamlFile
from backend.letters.content import LetterContent

FOLDER: Final = Path(__file__).parent / "templates"
_NAMED: Final = re.compile(r"\{(area|kind|applicant)\}")


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Sentences under a title."""

    title: str
    items: tuple[str, ...]


class Template(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One kind of letter. `least_seconds`: what reading it takes at least."""

    template: str
    version: int
    name: str
    least_seconds: int
    says_answers: str
    says_papers: str
    opening: str
    sections: tuple[Part, ...]
    closing: str

    def opened_by(self, content: LetterContent) -> str:
        """The first sentence, with its names. What a name holds is not looked at again."""
        named = {"area": content.area, "kind": content.kind, "applicant": content.applicant}
        return _NAMED.sub(lambda found: named[found[1]], self.opening)


@cache
def templates() -> Mapping[tuple[str, int], Template]:
    """Every template by name and version. Raises `FileError`."""
    read = [YamlFile(path, path.name).convert(Template) for path in sorted(FOLDER.glob("*.yaml"))]
    return {(one.template, one.version): one for one in read}


def template_of(name: str, version: int) -> Template:
    """A version of a template. Raises `KeyError`."""
    return templates()[name, version]


def newest(name: str) -> Template:
    """The version that new letters are made of. Raises `KeyError`."""
    versions = [one for one in templates().values() if one.template == name]
    if not versions:
        raise KeyError(name)
    return max(versions, key=lambda one: one.version)
