"""被提到的人和机构 (named): who and what the rows of a file name; made where nobody knows them yet.

A person whom only bills or rosters name is not `known`: the register brings them later, and what
waits for them is found by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from backend.citizens.exchange.staging import copy_in, fetch, new_ids
from backend.citizens.exchange.step import Step
from backend.citizens.id_number import sex
from backend.citizens.lookup import Found, find_households, find_people
from backend.citizens.tables import HOSPITAL
from backend.kernel.crypto import Place


def people(step: Step, numbers: pl.Series) -> dict[str, Found]:
    """Number → person, of every number; people whom nobody knows yet are made."""
    wanted = numbers.unique(maintain_order=True).to_list()
    found = find_people(step.session, step.keyring, wanted)
    missing = [number for number in wanted if number not in found]
    return found | _make_people(step, missing)


def _make_people(step: Step, numbers: Sequence[str]) -> dict[str, Found]:
    ids = new_ids(step.connection, len(numbers))
    keys = [step.keyring.new_person_key(one) for one in ids]
    add_people(step, unknown_people(step, numbers, ids, keys))
    add_numbers(
        step, {number: (id_, key) for number, id_, key in zip(numbers, ids, keys, strict=True)}
    )
    return {
        number: Found(id_, key, 0, False)
        for number, id_, key in zip(numbers, ids, keys, strict=True)
    }


def unknown_people(
    step: Step, numbers: Sequence[str], ids: Sequence[int], keys: Sequence[bytes]
) -> pl.DataFrame:
    """Rows of people of whom no more than the number is known."""
    days = pl.Series("born_on", [_born(number) for number in numbers], pl.String)
    return pl.DataFrame(
        {
            "id": pl.Series(ids, dtype=pl.Int64),
            "born_on": days,
            "sex": pl.Series([int(sex(number)) for number in numbers], dtype=pl.Int64),
            "data_key": pl.Series(keys, dtype=pl.Binary),
        }
    ).with_columns(
        known=False,
        area=0,
        lives_in=0,
        household_id=0,
        insurance=0,
        rural=False,
        declined_health_service=False,
        name=pl.lit(b""),
        phone=pl.lit(b""),
        phone_index=pl.lit(b""),
    )


def _born(number: str) -> str:
    return f"{number[6:10]}-{number[10:12]}-{number[12:14]}"


def add_people(step: Step, rows: pl.DataFrame) -> None:
    """Append people."""
    copy_in(step.connection, "person", stamped(step, rows))


def add_numbers(
    step: Step, numbers: Mapping[str, tuple[int, bytes]], *, current: bool = True
) -> None:
    """Append numbers of people: number → person and the person's wrapped key."""
    sealed = [
        step.keyring.person(id_, key).seal(Place("person_number", "number", id_), number)
        for number, (id_, key) in numbers.items()
    ]
    indexes = [step.keyring.index("id_number", number) for number in numbers]
    rows = pl.DataFrame(
        {
            "number_index": pl.Series(indexes, dtype=pl.Binary),
            "person_id": pl.Series([id_ for id_, _ in numbers.values()], dtype=pl.Int64),
            "number": pl.Series(sealed, dtype=pl.Binary),
        }
    ).with_columns(current=current)
    copy_in(step.connection, "person_number", stamped(step, rows))


def households(step: Step, numbers: pl.Series) -> dict[str, int]:
    """Household number → id, of every number but the empty one, which is 0; made where missing."""
    wanted = [number for number in numbers.unique(maintain_order=True) if number]
    found = find_households(step.session, step.keyring, wanted)
    missing = [number for number in wanted if number not in found]
    ids = new_ids(step.connection, len(missing))
    cipher, pairs = step.keyring.shared(), list(zip(missing, ids, strict=True))
    rows = pl.DataFrame(
        {
            "id": pl.Series(ids, dtype=pl.Int64),
            "number_index": pl.Series(
                [step.keyring.index("household", number) for number in missing], dtype=pl.Binary
            ),
            "number": pl.Series(
                [cipher.seal(Place("household", "number", id_), one) for one, id_ in pairs],
                dtype=pl.Binary,
            ),
        }
    )
    copy_in(step.connection, "household", stamped(step, rows))
    return found | dict(pairs) | {"": 0}


def hospitals(step: Step, codes: pl.Series) -> dict[str, int]:
    """Hospital code → id; one that is not registered yet is taken and noted."""
    wanted = codes.unique(maintain_order=True).to_list()
    known = fetch(step.connection, HOSPITAL, "code", wanted)
    found = dict(zip(known["code"], known["id"], strict=True))
    missing = [code for code in wanted if code not in found]
    ids = new_ids(step.connection, len(missing))
    rows = pl.DataFrame(
        {"id": pl.Series(ids, dtype=pl.Int64), "code": pl.Series(missing, dtype=pl.String)}
    ).with_columns(name=pl.lit(""), tier=0, area=0, designated=True, registered=False)
    copy_in(step.connection, "hospital", stamped(step, rows))
    return found | dict(zip(missing, ids, strict=True))


def stamped(step: Step, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with where they come from."""
    return rows.with_columns(
        pl.lit(step.file_id, pl.Int64).alias("file_id"),
        pl.lit(step.revision, pl.Int64).alias("revision"),
    )
