"""慢特病认定 (certifying): a certification is written down, and the benefit of it in kind.

Which of the policy's lists the disease is on is read from the words of the answer; where they name
none, somebody of the county decides. A row stands for each year; no run ends it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final

from sqlalchemy import text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from backend.applications import registering
from backend.applications.cases import Case, cipher_of, of_case
from backend.applications.drafts import answers_of
from backend.applications.ground import Ground, whom
from backend.citizens.codes import Codes
from backend.citizens.diagnoses import group
from backend.matching.tables import ENTITLEMENT
from backend.policies.policy import Policy
from backend.policies.shapes import EntitlementShape
from backend.worklist.items import NewItem, open_items

ROW: Final = ENTITLEMENT.c
BY_CERTIFICATION: Final = "by_certification"
NO_RUN: Final = 0
BY: Final = "worker"
_WHICH: Final = "门诊慢特病认定已经批准，但从填写的病种看不出在哪张名单里：请核实后登记。"
_NEXT_YEAR: Final = text(
    """
    INSERT INTO entitlement (person_id, year, policy, code, from_on, to_on, run_id, delivery, area,
        application_id)
    SELECT DISTINCT ON (e.application_id, e.policy, e.code) person_now(e.person_id), :year,
        e.policy, e.code, make_date(:year, 1, 1), make_date(:year, 12, 31), 0, e.delivery, e.area,
        e.application_id
    FROM entitlement AS e JOIN application_effect AS f
        ON f.application_id = e.application_id AND f.ended_on IS NULL
    WHERE e.application_id > 0 AND e.year = :year - 1 AND e.ended_by_run = 0
        AND e.to_on = make_date(:year - 1, 12, 31)
    ON CONFLICT DO NOTHING
    """
)


def certify(session: Session, ground: Ground, case: Case) -> Sequence[int]:
    """The certification, and what it entitles to from today on; no run is needed."""
    registering.register(session, ground, case)
    cipher = cipher_of(session, ground.keyring, case)
    said = answers_of(session, cipher, case.id).get("diagnosis")
    policy = ground.book.policy(case.policy)
    listed = tuple(entitled(policy, said.value if said else ""))
    if not listed:
        item = NewItem(
            "entitlement_question", of_case(case), case.person_id, case.area, _WHICH,
            period=str(ground.today.year),
        )  # fmt: skip
        open_items(session, [item], BY, ground.today)
        return ()
    numbers = Codes.numbers(session, "entitlement", [one.code for one in listed])
    own = whom(session, case.person_id)
    rows = [
        {
            "person_id": own.id, "year": ground.today.year, "code": numbers[one.code],
            "policy": Codes.numbers(session, "policy", [policy.id])[policy.id],
            "from_on": ground.today, "to_on": date(ground.today.year, 12, 31), "run_id": NO_RUN,
            "delivery": Codes.numbers(session, "delivery", [one.delivery])[one.delivery],
            "area": own.area, "application_id": case.id,
        }
        for one in listed
    ]  # fmt: skip
    session.execute(insert(ENTITLEMENT).values(rows).on_conflict_do_nothing())
    return ()


def end(session: Session, ground: Ground, case: Case) -> Sequence[int]:
    """It entitles to nothing more: rows of this year end today, those of later years go."""
    registering.end(session, ground, case)
    mine = (ROW.application_id == case.id) & (ROW.ended_by_run == NO_RUN)
    session.execute(ENTITLEMENT.delete().where(mine, ROW.from_on > ground.today))
    session.execute(
        update(ENTITLEMENT).where(mine, ROW.to_on > ground.today).values(to_on=ground.today)
    )
    return ()


def carry_over(session: Session, year: int) -> int:
    """Certifications that stand are there in the new year too; how many rows."""
    done: int = session.execute(_NEXT_YEAR, {"year": year}).rowcount  # type: ignore[attr-defined]
    return done


def entitled(policy: Policy, words: str) -> Iterator[EntitlementShape]:
    """The entitlements of the policy by certification whose list names the disease in words."""
    for shape in policy.entitlements:
        if shape.delivery == BY_CERTIFICATION and any(
            group(code).name in words for code in shape.conditions.diagnoses or ()
        ):
            yield shape
