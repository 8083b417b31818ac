"""同意书 (consent texts): what is agreed to, by purpose and version, from `consents.yaml`."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Final

from msgspec import Struct, field

from backend.kernel.yaml_file import FileError, YamlFile

_NAME: Final = "consents.yaml"


class Version(Struct, frozen=True, forbid_unknown_fields=True):
    """One wording. `sha256`: of the text in UTF-8, in hexadecimal. `successors`: it says that who
    succeeds a member of staff goes on.
    """

    version: int
    from_on: date = field(name="from")
    sha256: str
    text: str
    successors: bool = False


class Purpose(Struct, frozen=True, forbid_unknown_fields=True):
    """What one consent is for. Consents to versions before `holds_from` do not count.

    `alone`: given by itself; the others are given with what they are for.
    """

    title: str
    basis: str
    alone: bool
    holds_from: int
    versions: tuple[Version, ...]

    @property
    def current(self) -> Version:
        """The wording that is shown and agreed to now."""
        return self.versions[-1]

    @property
    def naming_successors(self) -> tuple[bytes, ...]:
        """Digests of the wordings that let a successor go on."""
        return tuple(bytes.fromhex(one.sha256) for one in self.versions if one.successors)


class ConsentTexts(Struct, frozen=True, forbid_unknown_fields=True):
    """The file. `statutory`: what needs no consent, and why, for people."""

    statutory: str
    purposes: Mapping[str, Purpose]


@cache
def consent_texts() -> ConsentTexts:
    """The project's own. Raises `FileError` also where a published text was changed."""
    return read_texts(Path(__file__).parent / _NAME)


def read_texts(path: Path) -> ConsentTexts:
    """A file of that form; raises `FileError` with file, line and reason."""
    file = YamlFile(path, _NAME)
    texts = file.convert(ConsentTexts)
    faults = []
    for code, purpose in texts.purposes.items():
        where = ("purposes", code, "versions")
        if [one.version for one in purpose.versions] != [*range(1, len(purpose.versions) + 1)]:
            faults.append(file.fault("版本号应当从 1 开始，依次加 1", *where))
        faults += [
            file.fault("文字和它的 sha256 不符：已发布的不能改，请加一个新版本", *where, place)
            for place, one in enumerate(purpose.versions)
            if hashlib.sha256(one.text.encode()).hexdigest() != one.sha256
        ]
        if not 1 <= purpose.holds_from <= len(purpose.versions):
            faults.append(file.fault("holds_from 应当是已有的版本号", "purposes", code))
    if faults:
        raise FileError(faults)
    return texts
