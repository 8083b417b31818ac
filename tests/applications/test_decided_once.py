"""Many at once: each case is decided once, and no field is overwritten unseen.

`SHUKUN_REVIEWERS`, `SHUKUN_REVIEWED_CASES`, `SHUKUN_FIELD_EDITS`: how many.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any, Final

from sqlalchemy import Engine, text

from backend.applications.cases import Case, case_of, cipher_of
from backend.applications.drafts import Answer, AnswerChanged, Answered, answers_of, change_answer
from backend.applications.steps import CaseMoved, DeedImpossible, NotYourDesk, Step, take_step
from tests.support.case_world import COUNTY, CaseWorld
from tests.support.raw_cases import raw_case, raw_step, whose

REVIEWERS: Final = int(os.environ.get("SHUKUN_REVIEWERS", "8"))
CASES: Final = int(os.environ.get("SHUKUN_REVIEWED_CASES", "50"))
EDITS: Final = int(os.environ.get("SHUKUN_FIELD_EDITS", "500"))
DEVICES: Final = 6
FIELDS: Final = ("income", "people", "words", "since")
TOO_LATE: Final = (CaseMoved, DeedImpossible, NotYourDesk)


def reviewed_cases(world: CaseWorld, many: int) -> list[int]:
    """Cases that wait for the county."""
    with world.owner.begin() as connection:
        who, staff = whose(world.owner, world.people["甲测试"].id), world.staff_ids["镇甲"]
        cases = [raw_case(connection, who) for _ in range(many)]
        for case in cases:
            raw_step(connection, case, ("submit", "draft", "submitted"), resident=who.resident)
            raw_step(connection, case, ("accept", "submitted", "accepted"), staff=staff)
            raw_step(connection, case, ("review", "accepted", "reviewed"), staff=staff)
    return cases


def decided_by_all(world: CaseWorld, cases: Iterable[int], reviewers: int) -> Counter[str]:
    """Every reviewer decides every case, all on the same one at the same time; what came of it."""
    seen = [seen_case(world, case) for case in cases]
    together = Barrier(reviewers)
    names = [world.staff(f"县员{one}", "county_officer", COUNTY) for one in range(reviewers)]

    def decide_all(name: str) -> Counter[str]:
        return Counter(decided(world, name, case, together) for case in seen)

    with ThreadPoolExecutor(reviewers) as pool:
        return sum(pool.map(decide_all, names), Counter())


def seen_case(world: CaseWorld, case: int) -> Case:
    """As everybody saw it before."""
    with world.acting("县甲") as (session, _):
        return case_of(session, case)


def decided(world: CaseWorld, name: str, case: Case, together: Barrier) -> str:
    """One decision; whose came, which way does not matter."""
    together.wait(60)
    deed = ("approve", "refuse")[(case.id + int(name[2:])) % 2]
    try:
        with world.acting(name) as (session, actor):
            take_step(session, case, Step(deed, "other", "测试"), world.given(actor))
    except TOO_LATE:
        return "refused"
    return "decided"


def decisions(owner: Engine) -> list[int]:
    """How many decisions each case has."""
    with owner.connect() as connection:
        rows = connection.execute(
            text("SELECT count(*) FILTER (WHERE deed IN ('approve', 'refuse'))"
                 " FROM application_step GROUP BY application_id")
        )  # fmt: skip
        return [int(row.count) for row in rows]


def test_of_all_who_decide_at_once_one_decides_and_the_others_are_told(world: CaseWorld) -> None:
    cases = reviewed_cases(world, CASES)
    outcome = decided_by_all(world, cases, REVIEWERS)
    assert outcome == {"decided": CASES, "refused": CASES * (REVIEWERS - 1)}
    assert decisions(world.owner) == [1] * CASES
    with world.owner.connect() as connection:
        for once in (
            "SELECT count(DISTINCT cause) FROM notice_due WHERE kind IN"
            " ('application_granted', 'application_refused')",
            "SELECT count(*) FROM notice_due WHERE kind IN"
            " ('application_granted', 'application_refused')",
            "SELECT count(DISTINCT subject_id) FROM audit_event WHERE action IN"
            " ('application.approve', 'application.refuse')",
            "SELECT count(*) FROM audit_event WHERE action IN"
            " ('application.approve', 'application.refuse')",
        ):
            assert connection.execute(text(once)).scalar_one() == CASES, once


def test_a_database_that_reads_and_then_writes_is_noticed(world: CaseWorld) -> None:
    cases = reviewed_cases(world, 5)
    with world.owner.begin() as connection:
        source = text("SELECT pg_get_functiondef('check_step'::regproc)")
        sound: Any = connection.execute(source).scalar_one()
        assert "FOR UPDATE;" in sound
        read_first = sound.replace("FOR UPDATE;", "; PERFORM pg_sleep(0.3);")
        connection.exec_driver_sql(read_first)
        unique = "uq_application_step_application_id_seq"
        connection.execute(text(f"ALTER TABLE application_step DROP CONSTRAINT {unique}"))
    assert decided_by_all(world, cases, 4)["decided"] > len(cases)
    assert max(decisions(world.owner)) > 1


Edit = Callable[[CaseWorld, int, str, str], int | None]
"""Sees the field, writes the value; which version it made, or None where it was refused."""


def edit_seen(world: CaseWorld, case: int, code: str, value: str) -> int | None:
    seen = field_of(world, case, code)
    try:
        with world.acting("甲测试") as (session, actor):
            answer = Answer(code, value, 0 if seen is None else seen.version)
            mine = case_of(session, case)
            return change_answer(session, mine, answer, world.given(actor)).version
    except AnswerChanged:
        return None


def edit_unseen(world: CaseWorld, case: int, code: str, value: str) -> int | None:
    """The control: what was read before is written over, whatever it is by then."""
    seen = field_of(world, case, code)
    if seen is None:
        return edit_seen(world, case, code, value)
    with world.owner.begin() as connection:
        connection.execute(
            text("UPDATE application_answer SET version = :version"
                 " WHERE application_id = :case AND field = :code"),
            {"version": seen.version + 1, "case": case, "code": code},
        )  # fmt: skip
    return seen.version + 1


def field_of(world: CaseWorld, case: int, code: str) -> Answered | None:
    with world.acting("甲测试") as (session, _):
        cipher = cipher_of(session, world.keyring, case_of(session, case))
        return answers_of(session, cipher, case).get(code)


def edited_by_all(world: CaseWorld, edit: Edit, edits: int) -> Counter[tuple[str, int]]:
    """Many devices at once on the fields of one draft; which versions were made how often."""
    case = world.begun("甲测试").id
    values = {"income": "{}", "people": "{}", "words": "第{}次", "since": "2026-01-{:02d}"}

    def device(first: int) -> list[tuple[str, int]]:
        made = []
        for one in range(first, edits, DEVICES):
            code = FIELDS[one // DEVICES % len(FIELDS)]
            version = edit(world, case, code, values[code].format(one % 28 + 1))
            made += [(code, version)] if version is not None else []
        return made

    with ThreadPoolExecutor(DEVICES) as pool:
        return Counter(one for made in pool.map(device, range(DEVICES)) for one in made)


def test_no_field_is_overwritten_by_who_did_not_see_it(world: CaseWorld) -> None:
    made = edited_by_all(world, edit_seen, EDITS)
    assert set(made.values()) == {1}
    for code in FIELDS:
        versions = sorted(version for one, version in made if one == code)
        assert versions == list(range(1, len(versions) + 1)), code
    with world.owner.connect() as connection:
        rows = connection.execute(text("SELECT field, version FROM application_answer"))
        assert {row.field: row.version for row in rows} == {
            code: max(version for one, version in made if one == code) for code in FIELDS
        }


def test_reading_and_then_writing_over_is_noticed(world: CaseWorld) -> None:
    made = edited_by_all(world, edit_unseen, 200)
    assert max(made.values()) > 1
