"""Cases are kept for their years, and not longer; the database lets nothing go before."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from backend.applications.steps import DeedImpossible
from backend.applications.tasks import do_due
from backend.kernel import keys
from tests.support.case_paths import case_in
from tests.support.case_world import CaseWorld
from tests.support.mornings import morning
from tests.support.procedures import procedure

HELD: Final = (
    "SELECT (SELECT count(*) FROM application_answer WHERE application_id = :case),"
    " (SELECT count(*) FROM application_step WHERE application_id = :case AND note <> ''),"
    " (SELECT count(*) FROM letter_part JOIN letter ON letter.id = letter_id"
    "    WHERE application_id = :case),"
    " (SELECT count(*) FROM paper_content JOIN paper ON paper.id = paper_id"
    "    WHERE application_id = :case),"
    " (SELECT count(*) FROM application WHERE id = :case AND (code <> '' OR code_index <> ''))"
)
LEFT: Final = (
    "SELECT (SELECT count(*) FROM application_step WHERE application_id = :case),"
    " (SELECT count(*) FROM paper WHERE application_id = :case AND state = 'removed'),"
    " (SELECT count(*) FROM letter WHERE application_id = :case)"
)
EVENTS: Final = "SELECT actor FROM audit_event WHERE action = 'application.rest' AND subject_id = CAST(:case AS text)"
FILES: Final = (
    "INSERT INTO paper (id, application_id, person_id, area, kind, client_key, size, sha256, pieces)"
    " SELECT id + 1000000, id, person_id, area, 'examination', 'key', 1, :hash, 1"
    " FROM application WHERE id = :case",
    "INSERT INTO paper_piece (paper_id, number, bytes) SELECT :case + 1000000, 1, 'x'",
    "UPDATE paper SET state = 'checking' WHERE application_id = :case",
    "INSERT INTO paper_content (paper_id, name, sha256, size)"
    " SELECT :case + 1000000, 'name-' || :case, :hash, 1",
    "UPDATE paper SET state = 'kept', pages = 1, media = 'image/jpeg' WHERE application_id = :case",
    "INSERT INTO letter (id, application_id, person_id, area, template, version, size, code, day,"
    " subject_sha256, content_sha256, document_sha256, nonce) SELECT id + 2000000, id, person_id,"
    " area, 'promise', 1, 'normal', 'code-' || id, '2026-11-02', :hash, :hash, :hash, :hash"
    " FROM application WHERE id = :case",
    "INSERT INTO letter_part (id, letter_id, part, body, sha256)"
    " SELECT :case + 3000000, :case + 2000000, 'content', 'x', :hash",
)


@pytest.fixture(autouse=True)
def _keys(world: CaseWorld, tmp_path: Path) -> None:
    keys.bind(tmp_path / "keys.json")


def ended(world: CaseWorld, years: int, *, keep: int = 10) -> int:
    """A case with everything in it, taken back so many years ago."""
    rules = replace(procedure(), retention_years=keep)
    case = world.submitted("甲测试", rules=rules)
    for name, deed in (("镇甲", "accept"), ("镇甲", "ask")):
        world.does(name, case, deed, rules)
    with world.owner.begin() as connection:
        for statement in FILES:
            connection.execute(text(statement), {"case": case, "hash": bytes(32)})
    world.does("甲测试", case, "withdraw", rules)
    with world.owner.begin() as connection:
        _years_ago(connection, case, years)
    return case


def _years_ago(connection: Connection, case: int, years: int) -> None:
    connection.execute(text("ALTER TABLE application DISABLE TRIGGER application_by_steps"))
    connection.execute(
        text("UPDATE application SET ended_at = now() - make_interval(years => :years, days => 1)"
             " WHERE id = :case"),
        {"years": years, "case": case},
    )  # fmt: skip
    connection.execute(text("ALTER TABLE application ENABLE TRIGGER application_by_steps"))


def one(world: CaseWorld, query: str, case: int) -> tuple[Any, ...]:
    with world.owner.connect() as connection:
        row = connection.execute(text(query), {"case": case}).one_or_none()
        return () if row is None else tuple(row)


def clock_day(world: CaseWorld) -> date:
    """The database's: the years are counted by its clock."""
    day: date = one(world, "SELECT current_date + 1 + CAST(:case AS integer)", 0)[0]
    return day


def test_when_its_years_are_over_what_was_said_and_handed_in_is_gone(world: CaseWorld) -> None:
    case = ended(world, 10)
    before = one(world, HELD, case)
    assert min(before) > 0
    assert morning(world.owner, clock_day(world)) == [(case, "rest")]
    assert one(world, HELD, case) == (0, 0, 0, 0, 0)
    assert one(world, LEFT, case) == (4, 1, 1)
    assert one(world, EVENTS, case) == ("worker",)
    assert morning(world.owner, clock_day(world)) == []


def test_a_case_is_kept_as_long_as_its_procedure_said(world: CaseWorld) -> None:
    kept, gone = ended(world, 10, keep=15), ended(world, 16, keep=15)
    assert morning(world.owner, clock_day(world)) == [(gone, "rest")]
    assert min(one(world, HELD, kept)) > 0


def test_a_job_that_comes_too_early_changes_nothing(world: CaseWorld) -> None:
    case = ended(world, 9)
    do_due.run(case_id=case, deed="rest", day=clock_day(world).isoformat())
    assert min(one(world, HELD, case)) > 0


@pytest.mark.parametrize("state", ["draft", "accepted", "refused", "closed"])
def test_the_database_lets_go_of_no_case_that_is_not_over_for_years(
    world: CaseWorld, state: str
) -> None:
    case = case_in(world, state)
    assert refused(world, "INSERT INTO application_rested VALUES (:case)", case) == (
        "application_rested_due"
    )


def test_nothing_of_a_case_is_deleted_while_it_is_kept(world: CaseWorld) -> None:
    case = ended(world, 9)
    for statement in (
        "DELETE FROM application_answer WHERE application_id = :case",
        "DELETE FROM letter_part WHERE letter_id = :case + 2000000",
        "DELETE FROM paper_content WHERE paper_id = :case + 1000000",
        "INSERT INTO application_rested VALUES (:case, now() + interval '20 years')",
        "UPDATE application SET keep_years = 1 WHERE id = :case",
    ):
        assert refused(world, statement, case) is not None, statement


def test_a_case_at_rest_moves_no_more_and_stays_at_rest(world: CaseWorld) -> None:
    moving, resting = case_in(world, "closed"), case_in(world, "closed")
    with world.owner.begin() as connection:
        _years_ago(connection, resting, 10)
    assert (resting, "rest") in morning(world.owner, clock_day(world))
    with pytest.raises(DeedImpossible):
        world.does("镇甲", resting, "propose")
    assert world.does("镇甲", moving, "propose").state == "revoking"
    delete = "DELETE FROM application_rested WHERE application_id = :case"
    assert refused(world, delete, resting) is not None


def test_that_the_database_looks_at_the_years_is_what_keeps_a_case(world: CaseWorld) -> None:
    """Sabotage: without its look, a case of this year goes."""
    case = ended(world, 0)
    with world.owner.begin() as connection:
        connection.execute(text("ALTER TABLE application_rested DISABLE TRIGGER rest_1_due"))
        connection.execute(text("INSERT INTO application_rested VALUES (:c)"), {"c": case})
    assert one(world, HELD, case) == (0, 0, 0, 0, 0)


def refused(world: CaseWorld, statement: str, case: int) -> str | None:
    """By which constraint the database refuses it to a worker, "" by none; None: it does not."""
    with world.owner.connect() as connection:
        connection.execute(text("SET LOCAL ROLE shukun_worker"))
        try:
            connection.execute(text(statement), {"case": case})
        except DBAPIError as error:
            return str(error.orig.diag.constraint_name or "")  # type: ignore[union-attr]
        finally:
            connection.rollback()
    return None
