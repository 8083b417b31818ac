"""覆盖范围 (covered): a whole roster that does not say where it comes from must reach every county
where its department and categories have people; else it is not taken before somebody says so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, ClassVar, Final

import polars as pl
from sqlalchemy.orm import Session

from backend.citizens.lookup import find_people
from backend.kernel.areas import area_short_name
from backend.kernel.copy import raw
from backend.kernel.crypto import Keyring
from backend.kernel.errors import DomainError, Fault

SHOWN: Final = 20
_STANDING: Final[Mapping[str, tuple[tuple[str, ...], str]]] = {
    "identities": (
        ("category", "department"),
        """
        SELECT area / 1000000, count(DISTINCT person_id) FROM identity
        WHERE (category, department) IN (
                SELECT c.number, d.number FROM unnest(%(category)s::text[], %(department)s::text[])
                    AS named (category, department)
                JOIN code_number c ON c.kind = 'category' AND c.code = named.category
                JOIN code_number d ON d.kind = 'department' AND d.code = named.department
            )
            AND origin_area = 0 AND application_id = 0
            AND from_on < %(day)s AND to_on >= %(day)s AND area > 0
            AND area / 1000000 <> ALL(%(counties)s::bigint[])
        GROUP BY 1 ORDER BY 1
        """,
    ),
    "assignments": (
        ("role",),
        """
        SELECT area / 1000000, count(DISTINCT person_id) FROM assignment
        WHERE role = ANY(%(role)s::text[])
            AND from_on < %(day)s AND to_on >= %(day)s AND area > 0
            AND area / 1000000 <> ALL(%(counties)s::bigint[])
        GROUP BY 1 ORDER BY 1
        """,
    ),
}
"""Kind → what a roster is whole for, and the people of that in counties which it does not reach.
Rows that another roster delivered for its own area are left alone."""


class CountiesMissing(DomainError):
    """A whole roster without an area has nobody of counties where rows of its kind stand."""

    code: ClassVar[str] = "roster-counties-missing"


def check_covered(
    session: Session, keyring: Keyring, kind: str, day: date, chunks: Iterable[pl.DataFrame]
) -> None:
    """Raises `CountiesMissing`. `chunks`: the roster's sound rows; `day`: on which it is whole."""
    scope, query = _STANDING[kind]
    named: set[tuple[str, ...]] = set()
    counties: set[int] = set()
    for rows in chunks:
        named.update(rows.select(*scope).unique().iter_rows())
        found = find_people(session, keyring, rows["id_number"])
        counties.update(one.area // 1_000_000 for one in found.values())
    values: dict[str, Any] = {"day": day, "counties": sorted(counties)}
    values |= {name: [one[place] for one in named] for place, name in enumerate(scope)}
    missing = raw(session).execute(query, values).fetchall()
    if missing:
        raise CountiesMissing(Fault("/area", _said(missing)))


def _said(missing: list[tuple[int, int]]) -> str:
    people = "、".join(
        f"{area_short_name(str(county)) or '县'}（{county:06d}）{count} 人"
        for county, count in missing[:SHOWN]
    )
    more = f" 等 {len(missing)} 个县" if len(missing) > SHOWN else ""
    return (
        "没有用 --area 写明全量名册来自哪里，而名册里没有下列各县的人，这些县却有同一部门、同一类"
        f"的人在册：{people}{more}。这次没有改动任何数据："
        "请加 --area 写明名册来自哪个县（区划代码），只终止那里不在册的人；"
        "名册确实包括这些县的，--area 请填它们所在的市或省的代码。"
    )
