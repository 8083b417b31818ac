"""流程规定 (ruling): tells the database what the procedures say of a case, which it then writes and
compares by itself, whatever the site says.

Told by a process that starts as `worker`, before its site is served. Lengths of periods that held
before stay allowed: a site of an earlier release may still run beside.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import or_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from backend.applications.clocks import ALL, days_of
from backend.applications.rule_tables import PROCEDURE_PERIOD, PROCEDURE_RULE
from backend.kernel import audit
from backend.kernel.audit import Operator, Subject
from backend.policies.book import PolicyBook
from backend.policies.procedures import Procedure

BY: Final = Operator("system")
_SAID: Final = ("filing", "notice", "fast_lane", "keep_years")


def tell_rules(session: Session, book: PolicyBook) -> int:
    """Tell the database of every procedure of the book; how many are new or say something else
    than before. One that the book does not have any more stays: its cases go on. As `worker`.
    """
    procedures = [one for kinds in book.procedures.values() for one in kinds.values()]
    if not procedures:
        return 0
    new = insert(PROCEDURE_RULE).values([_rule(one) for one in procedures])
    said = {name: new.excluded[name] for name in _SAID}
    other = or_(*(PROCEDURE_RULE.c[name].is_distinct_from(said[name]) for name in _SAID))
    told = new.on_conflict_do_update(index_elements=["policy", "kind"], set_=said, where=other)
    changed = len(session.execute(told.returning(PROCEDURE_RULE.c.kind)).all())
    periods = insert(PROCEDURE_PERIOD).values([row for one in procedures for row in _periods(one)])
    longer = periods.on_conflict_do_nothing().returning(PROCEDURE_PERIOD.c.days)
    changed += len(session.execute(longer).all())
    if changed:
        audit.deed(session, BY, "procedure.tell", Subject("procedure", "all"), changed=changed)
    return changed


def _rule(one: Procedure) -> dict[str, Any]:
    return {
        "policy": one.policy, "kind": one.kind, "filing": one.filing,
        "notice": one.notice is not None, "fast_lane": one.fast_lane,
        "keep_years": one.retention_years,
    }  # fmt: skip


def _periods(one: Procedure) -> list[dict[str, Any]]:
    found = ((clock, days_of(one, clock)) for clock in ALL)
    return [
        {"policy": one.policy, "kind": one.kind, "clock": clock, "days": days}
        for clock, days in found
        if days is not None
    ]
