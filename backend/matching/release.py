"""放行 (release): two people let a run out; only then are people told and is money paid."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar, Final

from sqlalchemy import Row, func, select, text, update
from sqlalchemy.orm import Session

from backend.citizens.codes import Codes
from backend.kernel.audit import person
from backend.kernel.errors import DomainError, Fault
from backend.matching.editions import edition
from backend.matching.ledger import EntryKind
from backend.matching.runs import audited, run_of
from backend.matching.spans import spans_of
from backend.matching.tables import MATCH_PART, MATCH_RUN

MONEY: Final = (EntryKind.GRANT, EntryKind.TOP_UP, EntryKind.REFUND_DUE)
_OWE: Final = text(
    """
    INSERT INTO notice_due (person_id, kind, cause, created_on)
    SELECT told.person_id, told.kind, :cause, :today FROM (
        SELECT DISTINCT person_id, 'grant' AS kind FROM grant_entry
            WHERE run_id = :run AND grant_entry.kind = ANY(:money)
        UNION ALL
        SELECT DISTINCT person_id, 'entitlement' FROM entitlement
            WHERE run_id = :run AND ended_by_run = 0
    ) AS told JOIN person ON person.id = told.person_id AND person.died_on = 'infinity'
    ON CONFLICT DO NOTHING RETURNING 1
    """
)


_OWE_OTHER_RULES: Final = text(
    """
    INSERT INTO notice_due (person_id, kind, cause, created_on)
    SELECT DISTINCT person.id, 'other_rules', :cause, CAST(:today AS date)
    FROM person JOIN identity ON identity.person_id = person.id
    WHERE person.known AND person.died_on = 'infinity' AND person.area BETWEEN :low AND :high
        AND identity.category = ANY(:categories)
        AND identity.from_on <= :last AND identity.to_on >= :first
    ON CONFLICT DO NOTHING RETURNING 1
    """
)


class RunNotComputed(DomainError):
    """The run is still computing, or has been released."""

    code: ClassVar[str] = "run-not-computed"


class SecondPersonNeeded(DomainError):
    """Who released a run first cannot be the second as well."""

    code: ClassVar[str] = "second-person-needed"


def release_run(session: Session, run_id: int, by: str, on: date) -> bool:
    """放行: the first person's word, or the second's, which releases. Whether it is released now.

    Released, the people concerned are owed a message, and the money may be paid.

    Raises `UnknownRun`, `RunNotComputed`, `SecondPersonNeeded`.
    """
    run, by = run_of(session, run_id), person(by)
    own = (MATCH_RUN.c.id == run_id) & (MATCH_RUN.c.state == "computed")
    first = update(MATCH_RUN).where(own, MATCH_RUN.c.first_release_by.is_(None))
    done = session.execute(
        first.values(first_release_by=by, first_release_at=func.now()).returning(MATCH_RUN.c.id)
    ).first()
    if done is not None:
        audited(session, by, "match.release.first", run_id, {})
        return False
    if run.first_release_by == by:
        raise SecondPersonNeeded(Fault("/by", "同一个人不能放行两次：请由另一个人放行。"))
    second = update(MATCH_RUN).where(own, MATCH_RUN.c.first_release_by != by)
    done = session.execute(
        second.values(state="released", released_by=by, released_at=func.now()).returning(
            MATCH_RUN.c.id
        )
    ).first()
    if done is None:
        raise RunNotComputed(Fault("/id", "这次运行还没有算完，或者已经放行，不能再放行。"))
    told = _owe_notices(session, run_id, on) + _owe_other_rules(session, run, on)
    audited(session, by, "match.release", run_id, {"first": run.first_release_by, "told": told})
    return True


def _owe_other_rules(session: Session, run: Row[Any], on: date) -> int:
    """People for whom the policy names other rules, or no rate: told so, not shown a zero."""
    rules = edition(session, run.rules_id).rules
    numbers = Codes.numbers(session, "category", rules.book.vocabulary.categories)
    counties = session.scalars(
        select(MATCH_PART.c.area_from / 1_000_000).where(MATCH_PART.c.run_id == run.id).distinct()
    )
    told = 0
    for county in {f"{int(code):06d}" for code in counties}:
        for span in spans_of(rules, county, run.year):
            named = {code for one in span.policy.document.notices for code in one.categories}
            asked = {
                "categories": [numbers[code] for code in named],
                "low": int(county) * 1_000_000,
                "high": int(county) * 1_000_000 + 999_999,
                "first": date.fromordinal(span.first),
                "last": date.fromordinal(span.last),
                "cause": f"policy:{span.policy.id}/{run.year}",
                "today": on,
            }
            told += len(session.execute(_OWE_OTHER_RULES, asked).all()) if named else 0
    return told


def _owe_notices(session: Session, run_id: int, on: date) -> int:
    """Everybody whose money or benefits changed is to be told, the dead aside; how many."""
    session.execute(text("SET LOCAL statement_timeout = 0"))  # a province is told at once
    owed = {"run": run_id, "cause": f"match_run:{run_id}", "today": on, "money": list(MONEY)}
    return len(session.execute(_OWE, owed).all())
