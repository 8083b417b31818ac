"""一行之内的核对 (checks across a row): columns that are in order each and contradict each other.

Bills: the same rules as for estimates (`backend/estimation/checks.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Final, NamedTuple

import polars as pl

from backend.citizens.exchange.cells_of_people import birth_days
from backend.citizens.exchange.words import words_of
from backend.citizens.tables import LAYERS


class Contradiction(NamedTuple):
    """`rows`: a Boolean expression, true for the rows at fault; where and why."""

    rows: pl.Expr
    column: str
    reason: str


@cache
def contradictions(kind: str) -> tuple[Contradiction, ...]:
    """What may not be in a row of the kind, over the columns as parsed."""
    return tuple(_OF_KIND[kind]()) if kind in _OF_KIND else ()


def completed(kind: str, rows: pl.DataFrame) -> pl.DataFrame:
    """The sound rows with the columns that follow from others."""
    if kind == "people":
        from_number = birth_days(rows["id_number"])
        seventeenth = pl.col("id_number").str.slice(16, 1).cast(pl.Int8, strict=False)
        return rows.with_columns(
            born_on=pl.coalesce(from_number, pl.col("born_on")),
            sex=pl.coalesce(2 - seventeenth % 2, pl.col("sex").cast(pl.Int8)),
        )
    if kind == "vital":
        return rows.with_columns(insurance=_insurance())
    if kind == "hospitals":
        return rows.with_columns(pl.col("tier").cast(pl.Int8))
    return rows


def _insurance() -> pl.Expr:
    """The new status that an insurance change names; "" for other events and unknown words."""
    status = pl.col("detail").replace_strict(words_of("insurance"), default="")
    return pl.when(pl.col("event") == "insurance_change").then(status).otherwise(pl.lit(""))


def _before(day: str, other: str, reason: str) -> Contradiction:
    return Contradiction(pl.col(day) < pl.col(other), day, reason)


def _people() -> Iterator[Contradiction]:
    own, guardian = pl.col("id_number"), pl.col("guardian_id_number")
    newborn = own == ""
    reason = "没有身份证号：新生儿请填监护人的 guardian_id_number 和 born_on，其他人请补上号码"
    yield Contradiction(newborn & (guardian == ""), "id_number", reason)
    missing = newborn & (guardian != "") & pl.col("born_on").is_null()
    yield Contradiction(missing, "born_on", "没有身份证号的新生儿要填出生日期")
    yield Contradiction(~newborn & (guardian == own), "guardian_id_number", "监护人不能是本人")
    former = pl.col("former_id_number")
    reason = "原身份证号和现在的一样；号码没有变就留空"
    yield Contradiction(~newborn & (former == own), "former_id_number", reason)
    born = own.str.slice(6, 8).str.to_date("%Y%m%d", strict=False)
    yield Contradiction(
        pl.col("born_on") != born, "born_on", "出生日期和身份证号里的不一样，请核对"
    )


def _bills() -> Iterator[Contradiction]:
    reason = "出院（就诊结束）的日期早于入院的日期，请改正"
    yield _before("discharged_on", "admitted_on", reason)
    total = pl.col("total")
    reason = "政策范围内费用加罕见病用药超过了总费用，请核对结算单"
    yield Contradiction(pl.col("in_scope") + pl.col("rare_drug") > total, "in_scope", reason)
    paid = (pl.max_horizontal(pl.col(f"paid_{layer}"), 0) for layer in LAYERS)
    together = pl.sum_horizontal(pl.col("paid_out_of_scope"), *paid)
    yield Contradiction(together > total, "total", "已经支付的合计超过了总费用，请核对结算单")


def _vital() -> Iterator[Contradiction]:
    changed = pl.col("event") == "insurance_change"
    reason = "参保变更要在 detail 里写明新的参保情况：resident、employee、elsewhere 或 none"
    yield Contradiction(changed & (_insurance() == ""), "detail", reason)


def _identities() -> Iterator[Contradiction]:
    yield _before("to", "from", "身份结束的日期早于开始的日期，请改正")
    yield _before("taper_until", "from", "渐退期的最后一天早于身份开始的日期，请改正")


def _assignments() -> Iterator[Contradiction]:
    yield _before("to", "from", "结束的日期早于开始的日期，请改正")


_OF_KIND: Final[Mapping[str, Callable[[], Iterator[Contradiction]]]] = {
    "people": _people,
    "identities": _identities,
    "assignments": _assignments,
    "vital": _vital,
    "bills": _bills,
}
