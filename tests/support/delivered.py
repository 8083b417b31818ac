"""Departments' files for tests: one good row of each kind, and writers of the formats."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import polars as pl

from backend.citizens.exchange.chunk import Chunk
from backend.citizens.exchange.mapping import DepartmentMapping
from backend.citizens.exchange.reading import read_chunks
from backend.citizens.id_number import check_character
from tests.support.xlsx import write_xlsx

Row = Mapping[str, str]


def id_number(born: str = "19560312", sequence: str = "123", region: str = "320281") -> str:
    """A number of nobody, in order by GB 11643."""
    first_17 = f"{region}{born}{sequence}"
    return first_17 + check_character(first_17)


GOOD: Mapping[str, Row] = MappingProxyType(
    {
        "people": {
            "id_number": id_number(), "name": "张三", "phone": "13812345678",
            "area_code": "320281101001", "registered_area_code": "320281101002",
            "household_no": "H-0001", "insurance": "resident", "rural": "1",
            "declined_health_service": "0",
        },
        "identities": {
            "id_number": id_number(), "category": "subsistence_allowance",
            "department": "civil_affairs", "from": "2023-01-01", "to": "2024-06-30",
            "applied_on": "2022-12-01", "certificate_no": "D-77",
        },
        "households": {"household_no": "H-0001", "year": "2023", "disposable_income": "36000.50"},
        "bills": {
            "bill_no": "B1", "id_number": id_number(), "hospital_code": "H32028100001",
            "setting": "inpatient", "admitted_on": "2024-03-01", "discharged_on": "2024-03-09",
            "total": "152000.00", "in_scope": "148000.00", "paid_basic": "30000.00",
            "paid_serious_illness": "", "paid_out_of_scope": "100.00", "referred": "1",
            "in_province": "1", "in_county": "0", "followed_guidance": "", "designated": "",
            "disease_group": "", "diagnosis": "C34.900", "rare_drug": "",
        },
        "assignments": {
            "id_number": id_number(), "role": "family_doctor", "staff_no": "D-9",
            "from": "2024-01-01", "to": "",
        },
        "hospitals": {
            "hospital_code": "H32028100001", "name": "江阴市人民医院", "tier": "3",
            "area_code": "320281000000", "designated": "1",
        },
        "vital": {
            "id_number": id_number(), "event": "insurance_change", "on": "2024-05-01",
            "detail": "employee",
        },
    }
)  # fmt: skip


def csv_text(rows: Sequence[Row]) -> str:
    """The rows as CSV with a header."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def write_csv(path: Path, rows: Sequence[Row], encoding: str = "utf-8") -> Path:
    """The rows as a CSV file."""
    path.write_text(csv_text(rows), encoding=encoding, newline="")
    return path


def write_sheet(path: Path, rows: Sequence[Row]) -> Path:
    """The rows as an XLSX file, every cell text."""
    write_xlsx(path, [list(rows[0]), *([row[name] or None for name in rows[0]] for row in rows)])
    return path


def write_parquet(path: Path, rows: Sequence[Row]) -> Path:
    """The rows as a Parquet file, every column text."""
    pl.DataFrame(rows, schema=dict.fromkeys(rows[0], pl.String)).write_parquet(path)
    return path


def read_all(
    kind: str, path: Path, mapping: DepartmentMapping | None = None, size: int = 20_000
) -> Chunk:
    """Everything in the file as one chunk."""
    chunks = list(read_chunks(kind, path, mapping=mapping, size=size))
    return Chunk(
        pl.concat([chunk.rows for chunk in chunks]),
        tuple(reject for chunk in chunks for reject in chunk.rejects),
        sum(chunk.read for chunk in chunks),
        tuple(note for chunk in chunks for note in chunk.notes),
    )
