"""Later files that correct invented ones: bills, rosters, the register, deaths and moves."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path

from tests.oracle.register import Row
from tests.support.office import Delivered, read_rows, write_rows

SHARE = 0.03
"""Of the rows of each kind."""


def corrections(folder: Path, to: Path, seed: int) -> Delivered:
    """A second delivery: some rows of each kind with other contents under the same key.

    Some lines stand twice in one file; the later one is meant.
    """
    rng = random.Random(seed)
    made = {
        "bills": _bills(rng, read_rows(folder / "bills.csv")),
        "identities": _identities(rng, read_rows(folder / "identities.csv")),
        "people": _people(rng, read_rows(folder / "people.csv")),
        "vital": _events(rng, read_rows(folder / "people.csv")),
    }
    to.mkdir()
    return [(kind, write_rows(to / f"{kind}.csv", list(rows))) for kind, rows in made.items()]


def settling(folder: Path, to: Path, grants: Sequence[tuple[str, ...]], share: float) -> Path:
    """Bills that come again with just what was granted as paid, for a share of the bills."""
    rng = random.Random(1)
    granted: dict[str, list[tuple[str, ...]]] = {}
    for row in grants:
        granted.setdefault(row[0], []).append(row)
    chosen = {number for number in granted if rng.random() < share}
    rows = [row for row in read_rows(folder / "bills.csv") if row["bill_no"] in chosen]
    for row in rows:
        for _, _, _, layer, _, amount in granted[row["bill_no"]]:
            row[f"paid_{layer}"] = amount
    return write_rows(to, rows)


def exchanged(folder: Path, to: Path, seed: int) -> Path:
    """Bills that turn out to be another person's."""
    rng = random.Random(seed)
    rows = read_rows(folder / "bills.csv")
    others = [row | {"id_number": rng.choice(rows)["id_number"]} for row in _some(rng, rows)]
    return write_rows(to, others)


def _some(rng: random.Random, rows: Sequence[Row]) -> list[Row]:
    return rng.sample(rows, max(1, int(len(rows) * SHARE)))


def _bills(rng: random.Random, rows: Sequence[Row]) -> Iterator[Row]:
    """Contents of another bill under the same number; a third stand twice, first otherwise; a
    fifth turn out to be another person's."""
    for row in _some(rng, rows):
        if rng.random() < 0.3:
            yield rng.choice(rows) | {"bill_no": row["bill_no"]}
        owner = rng.choice(rows) if rng.random() < 0.2 else row
        same = {"bill_no": row["bill_no"], "id_number": owner["id_number"]}
        yield rng.choice(rows) | same


def _identities(rng: random.Random, rows: Sequence[Row]) -> Iterator[Row]:
    """Another end, or none where nothing stands behind it; another day of application."""
    later = {(row["id_number"], row["category"], row["department"]): row["from"] for row in rows}
    for row in _some(rng, rows):
        key = (row["id_number"], row["category"], row["department"])
        if later[key] != row["from"]:
            continue
        first = date.fromisoformat(row["from"])
        to = first + timedelta(days=rng.randrange(1_500))
        applied = first + timedelta(days=rng.randrange(-30, 365))
        yield row | {
            "to": "" if rng.random() < 0.3 else to.isoformat(),
            "applied_on": applied.isoformat(),
            "taper_until": "",
        }


def _people(rng: random.Random, rows: Sequence[Row]) -> Iterator[Row]:
    """Registered elsewhere, insured otherwise, the health service declined or taken."""
    for row in _some(rng, rows):
        other = rng.choice(rows)
        place = other if rng.random() < 0.3 else row
        yield row | {
            "registered_area_code": place["registered_area_code"],
            "insurance": other["insurance"],
            "rural": other["rural"],
            "declined_health_service": rng.choice("01"),
        }


def _events(rng: random.Random, rows: Sequence[Row]) -> Iterator[Row]:
    """Insurance that changed; the days are those of the invented years."""
    for row in _some(rng, rows):
        on = date(2024, 1, 1) + timedelta(days=rng.randrange(700))
        detail = rng.choice(["resident", "employee", "elsewhere", "none"])
        event = {"event": "insurance_change", "on": on.isoformat(), "detail": detail}
        yield {"id_number": row["id_number"], **event}
