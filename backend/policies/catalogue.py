"""政策目录 (the catalogue): reads the folders of YAML into a `PolicyBook`, or says what is wrong.

A place adds or replaces a policy with a folder of its own (`SHUKUN_CATALOGUE`); a later folder with
the same id takes the place of the earlier, and its `localities.yaml` that of the project's; its
`synonyms.yaml` adds to the project's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from functools import cache, partial
from pathlib import Path
from typing import Final, TypeVar

from backend.kernel.yaml_file import FileError, FileFault, YamlFile
from backend.policies.benefit_shapes import BenefitsShape
from backend.policies.book import PolicyBook, Vocabulary
from backend.policies.checks import check_policy
from backend.policies.locality_checks import check_localities
from backend.policies.policy import Parameter, Policy, dated_values, frozen_map, how_written
from backend.policies.policy_files import PolicyFiles
from backend.policies.procedure_checks import Known
from backend.policies.procedure_files import read_procedures
from backend.policies.search.synonyms import load_synonyms
from backend.policies.shapes import (
    ClauseShape,
    DocumentShape,
    EntitlementShape,
    ParameterShape,
    ReadingShape,
    ServiceShape,
)
from backend.policies.shared_shapes import ConventionShape, LocalitiesShape, VocabularyShape

T = TypeVar("T")

HOME = Path(__file__).parent / "catalogue"
ALL_FILES: Final = tuple(name for name in PolicyFiles.__annotations__ if name != "folder")
DECIDING: Final = ("document", "parameters", "benefits")
"""The files that decide money: their content is the version of the rules."""


class CatalogueError(FileError):
    """The catalogue cannot be used. `faults`: everything found, each with file, line, reason."""


def load_catalogue(extra: Sequence[Path] = (), home: Path = HOME) -> PolicyBook:
    """The project's catalogue (`home`) and the locality's folders, checked whole.

    Raises `CatalogueError` with every fault found: file, line, reason.
    """
    faults: list[FileFault] = []
    vocabulary = _read_vocabulary(home)
    policies: dict[str, Policy] = {}
    folders: dict[str, Path] = {}
    homes = (home, *extra)
    for place in homes:
        for folder in sorted(path for path in place.iterdir() if path.is_dir()):
            policy = _gather(faults, partial(_load_policy, folder, vocabulary))
            if policy is not None:
                policies[policy.id], folders[policy.id] = policy, folder
    localities = _gather(faults, lambda: _load_localities(homes, policies, vocabulary))
    synonyms = _gather(faults, lambda: load_synonyms(homes))
    known = Known(_category_names(vocabulary), vocabulary.layers)
    read = _gather(faults, lambda: read_procedures(home, folders, policies, known))
    if faults or localities is None or synonyms is None or read is None:
        raise CatalogueError(sorted(faults))
    conventions = _read_conventions(homes[0])
    return PolicyBook(
        frozen_map(policies), vocabulary, localities, conventions, synonyms, read.procedures,
        read.clocks,
    )  # fmt: skip


@cache
def shared_vocabulary() -> Vocabulary:
    """The codes that every policy shares; no locality adds to them. Raises `FileError`."""
    return _read_vocabulary(HOME)


def _read_vocabulary(home: Path) -> Vocabulary:
    file = YamlFile(home / "vocabulary.yaml", "vocabulary.yaml")
    return Vocabulary(file.convert(VocabularyShape))


def _category_names(vocabulary: Vocabulary) -> dict[str, str]:
    return {code: shape.name for code, shape in vocabulary.categories.items()}


def _read_conventions(home: Path) -> tuple[ConventionShape, ...]:
    file = YamlFile(home / "conventions.yaml", "conventions.yaml")
    return tuple(file.convert(list[ConventionShape]))


def _gather(faults: list[FileFault], load: Callable[[], T]) -> T | None:
    try:
        return load()
    except FileError as error:
        faults.extend(error.faults)
        return None


def _load_policy(folder: Path, vocabulary: Vocabulary) -> Policy:
    files = _open(folder)
    policy = _assemble(folder, files)
    faults = check_policy(policy, files, vocabulary)
    if faults:
        raise FileError(faults)
    return policy


def _open(folder: Path) -> PolicyFiles:
    faults: list[FileFault] = []
    opened: dict[str, YamlFile] = {}
    for name in ALL_FILES:
        label = f"{folder.name}/{name}.yaml"
        file = _gather(faults, partial(YamlFile, folder / f"{name}.yaml", label))
        if file is not None:
            opened[name] = file
    if faults:
        raise FileError(faults)
    return PolicyFiles(folder.name, **opened)


def _assemble(folder: Path, files: PolicyFiles) -> Policy:
    faults: list[FileFault] = []
    shapes = _keyed(files.parameters.convert(list[ParameterShape]), "code", files.parameters)
    parameters = {
        code: parameter
        for place, (code, shape) in enumerate(shapes.items())
        if (parameter := _parameter(shape, place, files.parameters, faults)) is not None
    }
    if faults:
        raise FileError(faults)
    return Policy(
        document=files.document.convert(DocumentShape),
        clauses=_keyed(files.clauses.convert(list[ClauseShape]), "anchor", files.clauses),
        readings=_keyed(files.readings.convert(list[ReadingShape]), "id", files.readings),
        parameters=frozen_map(parameters),
        benefits=files.benefits.convert(BenefitsShape),
        entitlements=tuple(files.entitlements.convert(list[EntitlementShape])),
        services=tuple(files.services.convert(list[ServiceShape])),
        version=_digest(folder, DECIDING),
        edition=_digest(folder, ALL_FILES),
    )


def _parameter(
    shape: ParameterShape, place: int, file: YamlFile, faults: list[FileFault]
) -> Parameter | None:
    try:
        values = dated_values(shape)
    except ValueError:
        reason = f"参数 {shape.code} 的值不对：{how_written(shape.unit)}"
        faults.append(file.fault(reason, place, "values"))
        return None
    starts = [value.from_ or date.min for value in values]
    if not values or starts != sorted(set(starts)):
        faults.append(file.fault(f"参数 {shape.code} 的日期要从早到晚", place, "values"))
        return None
    return Parameter(shape, values)


def _keyed(items: list[T], key: str, file: YamlFile) -> dict[str, T]:
    keyed: dict[str, T] = {}
    for place, item in enumerate(items):
        name = getattr(item, key)
        if name in keyed:
            raise FileError([file.fault(f"“{name}”写了两次", place, key)])
        keyed[name] = item
    return keyed


def _digest(folder: Path, names: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for name in names:
        content = (folder / f"{name}.yaml").read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:12]


def _load_localities(
    homes: Iterable[Path], policies: dict[str, Policy], vocabulary: Vocabulary
) -> LocalitiesShape:
    path = [home / "localities.yaml" for home in homes if (home / "localities.yaml").exists()][-1]
    file = YamlFile(path, path.name)
    localities = file.convert(LocalitiesShape)
    faults = check_localities(localities, file, policies, vocabulary.categories)
    if faults:
        raise FileError(faults)
    return localities
