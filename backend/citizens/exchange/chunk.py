"""读出的一段 (chunk): what is read from a department's file, good rows and refused ones.

The frame has the columns of its kind, always all of them, none of them null but the days said to
be open. Days are `Date`, money `Int64` fen, areas `Int64` of twelve digits, flags `Boolean`; other
columns are text (`""` where empty), codes already checked. First comes `line`: the physical line
where the record begins in CSV, the row in XLSX, record number + 1 in Parquet; the header is 1.

- `people`: id_number, name, phone, area_code, registered_area_code, household_no, insurance, rural,
  declined_health_service; guardian_id_number, former_id_number (`""`: none); born_on; sex (`Int8`:
  0 not known, 1 male, 2 female). A newborn on a guardian's record has an empty id_number.
- `identities`: id_number, category, department, from, to (null: open), applied_on (null),
  certificate_no, taper_until (null)
- `households`: household_no, year (`Int64`), disposable_income
- `assignments`: id_number, role, staff_no, from, to (null: open)
- `hospitals`: hospital_code, name, tier (`Int8`, 0 not known), area_code, designated
- `vital`: id_number, event, on, detail, insurance (`""`, or the new status for insurance_change)
- `bills`: bill_no, id_number, hospital_code, setting, admitted_on, discharged_on, total, in_scope,
  paid_LAYER for every layer (-1: not settled yet), paid_out_of_scope, referred, in_province,
  in_county, followed_guidance, designated, disease_group, diagnosis, rare_drug

Chunks come from `reading.read_chunks(kind, path, *, mapping=None, skip_rows=0, size=20_000)`,
which raises `FileError` for a file that cannot be used at all; mappings from
`mapping.load_mapping(path)`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

WHOLE_ROW: Final = "整行"
"""`Reject.column` where no single column is at fault."""


@dataclass(frozen=True, slots=True)
class Reject:
    """A cell that keeps its row from being taken. `reason`: a Chinese sentence, never the value."""

    line: int
    column: str
    reason: str


@dataclass(frozen=True)
class Chunk:
    """Rows read in one go.

    `read`: rows of the file consumed, good and refused (empty rows are skipped and not counted);
    a refused row has one reject or several, all with its line, and none of it is in `rows`.
    `notes`: what is worth telling about the file (Chinese, nothing personal).
    """

    rows: pl.DataFrame
    rejects: tuple[Reject, ...]
    read: int
    notes: tuple[str, ...] = ()
