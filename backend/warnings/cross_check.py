"""交叉核验 (cross-check): whose medical spending is too heavy gets a warning and a home visit.

Two rules. `income_share`: the personal burden of a household's bills of the calendar year so far
is above the share of its latest known yearly disposable income (plan-2026 一). `watched_burden`:
people whom a policy watches, above the line that the place set (Wuxi 五(九)). Nothing is refused
here and nobody is taken in: a person visits and decides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from backend.citizens.codes import Codes
from backend.kernel.areas import code_range
from backend.kernel.audit import Subject
from backend.kernel.calendar import add_working_days
from backend.kernel.money import RATE_UNIT, format_percent, parse_yuan
from backend.policies.book import PolicyBook
from backend.policies.service_figures import ServiceFigure, service_figure
from backend.warnings.burdens import Scope, gather_households, gather_watched
from backend.warnings.tables import INCOME_SHARE, WATCHED_BURDEN
from backend.worklist.items import NewItem, open_items, supersede_items

BY: Final = "cross_check"
KINDS: Final = {"falling_into": "因病致贫", "falling_back": "因病返贫"}

_INCOMES: Final = """
    CREATE TEMP TABLE exceeding ON COMMIT DROP AS
    SELECT b.*, income.disposable_income * :share / :unit AS line,
        income.disposable_income AS income, income.year AS income_year
    FROM burden_now b JOIN LATERAL (
        SELECT disposable_income, year FROM household_income
        WHERE household_income.household_id = b.household_id AND year <= :year
        ORDER BY year DESC LIMIT 1
    ) AS income ON true
    WHERE b.burden * :unit > income.disposable_income * :share
"""
_ABOVE_THE_LINE: Final = """
    CREATE TEMP TABLE exceeding ON COMMIT DROP AS SELECT * FROM burden_now WHERE burden > line
"""
_COVERED: Final = """EXISTS (
    SELECT FROM unnest(ARRAY(
        SELECT id FROM person WHERE person.household_id = e.household_id AND e.household_id > 0
    ) || e.person_id) AS member (id) JOIN identity i ON i.person_id = member.id
    WHERE i.category = ANY(:covered) AND i.from_on <= :as_of
)"""
_WARN: Final = f"""
    INSERT INTO warning (rule, subject_id, year, round, kind, person_id, household_id, area,
        burden, line, income, income_year, policy, clause, as_of)
    SELECT :rule, e.subject_id, :year, coalesce(last.round + 1, 0),
        CASE WHEN {_COVERED} THEN 'falling_back' ELSE 'falling_into' END,
        e.person_id, e.household_id,
        CASE WHEN e.lives_in / 1000000 = e.area / 1000000 THEN e.lives_in ELSE e.area END,
        e.burden, e.line, e.income, e.income_year, :policy, :clause, :as_of
    FROM exceeding e LEFT JOIN LATERAL (
        SELECT round, state, burden FROM warning w
        WHERE w.rule = :rule AND w.subject_id = e.subject_id AND w.year = :year
        ORDER BY round DESC LIMIT 1
    ) AS last ON true
    WHERE last.round IS NULL OR last.state = 'superseded'
        OR (last.state = 'not_confirmed' AND e.line > 0 AND e.burden - last.burden > e.line)
    ON CONFLICT DO NOTHING RETURNING id, person_id, area, kind
"""
_NO_LONGER: Final = """
    UPDATE warning SET state = 'superseded'
    WHERE rule = :rule AND year = :year AND state = 'open' AND area BETWEEN :low AND :high
        AND NOT EXISTS (SELECT FROM exceeding e WHERE e.subject_id = warning.subject_id)
    RETURNING id
"""
_WITHOUT_INCOME: Final = """
    SELECT count(*) FROM burden_now b WHERE burden > 0 AND NOT EXISTS (
        SELECT FROM household_income h WHERE h.household_id = b.household_id AND h.year <= :year)
"""


@dataclass(frozen=True, slots=True)
class CrossCheck:
    """核验: the county (6 digits), the year of the bills, and the day on which it is made."""

    county: str
    year: int
    as_of: date

    @property
    def scope(self) -> Scope:
        """The bills looked at."""
        return Scope(*code_range(self.county), self.year, self.as_of)


@dataclass(frozen=True, slots=True)
class Found:
    """What a check found. `without_income`: households with a burden whose income nobody has
    delivered, so that the share cannot be told; `opened`: new warnings by kind; `gone`: open
    warnings whose burden is no longer above the line."""

    exceeding: int
    without_income: int
    opened: Mapping[str, int]
    gone: int


def cross_check(session: Session, check: CrossCheck, book: PolicyBook) -> Found:
    """Warn of every household of a county above the share of its income, each once a year.

    A known income of zero is exceeded by any burden. A warning that a visit found untrue is raised
    anew only when the burden has grown by more than another whole line; one that was confirmed is
    not. Raises `NoFigure`, `UnknownArea`.
    """
    share = service_figure(book, check.county, check.as_of, "warning.income_share")
    gather_households(session, check.scope)
    _gather(session, _INCOMES, {"share": share.value, "unit": RATE_UNIT, "year": check.year})
    unknown = session.execute(text(_WITHOUT_INCOME), {"year": check.year}).scalar_one()
    return _settle(session, check, book, _Rule(INCOME_SHARE, share), unknown)


def watch(session: Session, check: CrossCheck, book: PolicyBook) -> Found | None:
    """Warn of watched people above the place's line; None where the place has set none."""
    thresholds = book.warning_thresholds(check.county, check.as_of)
    if not thresholds:
        return None
    lines: dict[str, int] = {}
    for one in thresholds:
        for code in one.categories:
            lines[code] = parse_yuan(one.threshold)
    gather_watched(session, check.scope, lines)
    _gather(session, _ABOVE_THE_LINE, {})
    return _settle(session, check, book, _Rule(WATCHED_BURDEN, None, thresholds[0].source), 0)


@dataclass(frozen=True, slots=True)
class _Rule:
    """A rule, with what it cites: a policy's figure, or the place's own decision."""

    code: str
    share: ServiceFigure | None
    source: str = ""

    @property
    def cited(self) -> dict[str, str]:
        if self.share is None:
            return {"policy": "", "clause": self.source}
        return {"policy": self.share.policy.id, "clause": self.share.clause}

    def reason(self, kind: str) -> str:
        """For the work list, without personal data."""
        what = "一人今年保险支付以后的医疗负担超过当地监测标准"
        if self.share is not None:
            share = format_percent(self.share.value)
            what = f"一户今年自己负担的医疗费超过家庭年可支配收入的 {share}"
        return f"{KINDS[kind]}预警：{what}，请入户核查。"


def _gather(session: Session, query: str, values: Mapping[str, object]) -> None:
    session.execute(text("DROP TABLE IF EXISTS pg_temp.exceeding"))
    session.execute(text(query), values)
    session.execute(text("ANALYZE exceeding"))


def _settle(
    session: Session, check: CrossCheck, book: PolicyBook, rule: _Rule, unknown: int
) -> Found:
    """Warnings, work and withdrawals from the table `exceeding`."""
    values = {
        **check.scope.values, **rule.cited,
        "rule": rule.code, "year": check.year, "covered": _covered(session, book, check),
    }  # fmt: skip
    gone = session.execute(text(_NO_LONGER), values).scalars().all()
    _withdraw(session, gone)
    new = session.execute(text(_WARN), values).all()
    _send_visitors(session, check, book, rule, new)
    exceeding = session.execute(text("SELECT count(*) FROM exceeding")).scalar_one()
    opened = {kind: sum(row.kind == kind for row in new) for kind in KINDS}
    return Found(exceeding, unknown, opened, len(gone))


def _covered(session: Session, book: PolicyBook, check: CrossCheck) -> list[int]:
    """The numbers of the categories that the place's policy covers; without a policy all."""
    numbers = Codes.all(session, "category")
    policy = book.of_area(check.county, check.as_of)
    named = numbers if policy is None else policy.document.beneficiaries
    return [numbers[code] for code in named if code in numbers]


def _withdraw(session: Session, ids: Sequence[int]) -> None:
    subjects = [Subject("warning", str(one)) for one in ids]
    supersede_items(session, "home_visit", subjects, BY)


def _send_visitors(
    session: Session, check: CrossCheck, book: PolicyBook, rule: _Rule, new: Sequence[Row[Any]]
) -> None:
    days = service_figure(book, check.county, check.as_of, "home_visit.working_days")
    due = add_working_days(check.as_of, days.value)
    items = [
        NewItem(
            kind="home_visit",
            subject=Subject("warning", str(row.id)),
            person_id=row.person_id,
            area=row.area,
            reason=rule.reason(row.kind),
            due_on=due.day,
            due_provisional=due.provisional,
            period=str(check.year),
        )
        for row in new
    ]
    open_items(session, items, BY)
