"""号码变更 (numbers): who a row of the register is, by number, former number or guardian."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl

from backend.citizens.exchange import named
from backend.citizens.exchange.merge import merge_people
from backend.citizens.exchange.staging import new_ids
from backend.citizens.exchange.step import Step
from backend.citizens.lookup import NEWBORN, Found, find_people, newborn_key

_RETIRE: Final = (
    "WITH kept AS (INSERT INTO person_number_history (number_index, person_id, current, number,"
    " file_id, revision, superseded_by) SELECT number_index, person_id, current, number, file_id,"
    " revision, %(revision)s FROM person_number WHERE person_id = %(person)s AND current)"
    " UPDATE person_number SET current = false, file_id = %(file)s, revision = %(revision)s"
    " WHERE person_id = %(person)s AND current"
)


@dataclass(frozen=True)
class Keyed:
    """Rows with `key`: the number, or what stands for a newborn's. `formers`: former → key."""

    rows: pl.DataFrame
    formers: Mapping[str, str]


@dataclass(frozen=True)
class Everybody:
    """`found`: key, former number or guardian's number → person; `new`: keys of nobody yet."""

    found: Mapping[str, Found]
    new: frozenset[str]


def keyed_rows(rows: pl.DataFrame) -> Keyed:
    """The rows with their keys. A row under a number that another row calls a former one is a row
    of the same person."""
    formers: dict[str, str] = {}
    keys: list[str] = []
    columns = ("id_number", "former_id_number", "guardian_id_number", "name", "born_on")
    for number, former, guardian, name, born in rows.select(columns).iter_rows():
        newborn = newborn_key(guardian, name, born) if guardian else ""
        keys.append(number or newborn)
        if number:
            formers |= {one: number for one in (former, newborn) if one and one != number}
    keys = [formers.get(key, key) for key in keys]
    return Keyed(rows.with_columns(pl.Series("key", keys, dtype=pl.String)), formers)


def find_everybody(step: Step, keyed: Keyed) -> Everybody:
    """Everybody whom the rows name; changed numbers are recorded, guardians made where unknown.

    People of new keys have their id and data key, but are not written yet.
    """
    keys = keyed.rows["key"].to_list()
    guardians = [one for one in keyed.rows["guardian_id_number"].unique() if one]
    wanted = {*keys, *keyed.formers, *guardians}
    found = find_people(step.session, step.keyring, wanted)
    for former, key in keyed.formers.items():
        if former in found:
            _renumber(step, found, former, key)
    new = [key for key in keys if key not in found]
    ids = new_ids(step.connection, len(new))
    found |= {
        key: Found(id_, step.keyring.new_person_key(id_), 0, False)
        for key, id_ in zip(new, ids, strict=True)
    }
    unknown = pl.Series([one for one in guardians if one not in found], dtype=pl.String)
    return Everybody(found | named.people(step, unknown), frozenset(new))


def _renumber(step: Step, found: dict[str, Found], former: str, key: str) -> None:
    """The person of the former number keeps the id; where both numbers have somebody, they are
    one."""
    person, other = found[former], found.get(key)
    if other is None or other.id != person.id:
        step.connection.execute(
            _RETIRE, {"revision": step.revision, "person": person.id, "file": step.file_id}
        )
    if other is None:
        named.add_numbers(step, {key: (person.id, person.data_key)})
    elif other.id != person.id:
        merge_people(step, other, person, key)
        found |= {text: person for text, one in found.items() if one.id == other.id}
    found[key] = person


def keep_formers(step: Step, formers: Mapping[str, str], drafts: pl.DataFrame) -> None:
    """Let former numbers that nobody had lead to their person too."""
    found = find_people(step.session, step.keyring, formers)
    missing = [one for one in formers if one not in found and NEWBORN not in one]
    people = _owners(drafts, {formers[one] for one in missing})
    numbers = {one: people[formers[one]] for one in missing if formers[one] in people}
    named.add_numbers(step, numbers, current=False)


def _owners(drafts: pl.DataFrame, keys: Iterable[str]) -> dict[str, tuple[int, bytes]]:
    rows = drafts.filter(pl.col("key").is_in(list(keys))).select("key", "id", "data_key")
    return {key: (id_, wrapped) for key, id_, wrapped in rows.iter_rows()}
