"""失信: who made a false promise applies with papers in its place; everybody else signs."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from backend.applications import revoking, submitting
from backend.applications.cases import case_of
from backend.applications.clocks import running
from backend.applications.deciding import Decision, Office, decide
from backend.applications.owing import PapersOwed
from backend.applications.revoking import check_promise, proof_instead
from backend.applications.steps import Step
from backend.applications.submitting import LetterNotSigned, NotComplete
from backend.kernel.errors import DomainError
from backend.policies.procedures import Deadline, Paper, Procedure
from tests.support.case_effects import BOOK
from tests.support.case_world import CaseWorld
from tests.support.procedures import DAYS, PAPERS, procedure

PROOFS = (
    Paper("income_proof", "收入证明", "", "no_promise"),
    Paper("property_proof", "财产证明", "", "no_promise"),
)
PROMISE = procedure(
    letter="household_economy",
    papers={one.code: one for one in (PAPERS[0], *PROOFS)},
    deadlines={clock: Deadline(days, "三") for clock, days in (DAYS | {"promise_barred": 250}).items()},
)  # fmt: skip
CONSENT = replace(PROMISE, letter="referral_consent", deadlines=procedure().deadlines)
"""A letter that is no promise: nobody is barred from it."""


def bar(world: CaseWorld, name: str = "甲测试", days: int = 100) -> None:
    """As a revocation of an earlier case leaves it: until so many days from now."""
    earlier = world.begun(name).id
    world.town.accounts.change(
        "INSERT INTO promise_barred VALUES (:case, :person, CAST(:day AS date) - 300,"
        " CAST(:day AS date) + CAST(:days AS integer))",
        case=earlier, person=world.people[name].id, day=world.today, days=days,
    )  # fmt: skip


def hand_in(world: CaseWorld, case: int, *kinds: str) -> None:
    """Papers that were taken and cleaned: without the triggers, which ask for the pieces."""
    with world.owner.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        for kind in kinds:
            columns = connection.execute(
                text(
                    "INSERT INTO paper (id, application_id, person_id, area, kind, client_key,"
                    " size, sha256, pieces, by, state, pages, media, finished_at, ended_at) SELECT nextval('row_id'), a.id,"
                    " a.person_id, a.area, :kind, :kind, 1, sha256('x'), 1, 'test', 'kept', 1, 'image/jpeg', now(), now()"
                    " FROM application AS a WHERE a.id = :case RETURNING id"
                ),
                {"case": case, "kind": kind},
            )
            connection.execute(
                text(
                    "INSERT INTO paper_content (paper_id, name, sha256, size) VALUES (:paper, CAST(:paper AS text), sha256('x'), 1)"
                ),
                {"paper": columns.scalar_one()},
            )


def refusal(world: CaseWorld, case: int, rules: Procedure) -> DomainError:
    with pytest.raises((NotComplete, LetterNotSigned)) as refused:
        world.submit("甲测试", case, rules)
    return refused.value


def test_who_may_not_promise_submits_with_the_papers_and_without_a_letter(
    world: CaseWorld,
) -> None:
    bar(world)
    case = world.filled("甲测试", rules=PROMISE)
    missing = refusal(world, case, PROMISE)
    assert [one.pointer for one in missing.faults] == [
        "/papers/income_proof", "/papers/property_proof",
    ]  # fmt: skip
    hand_in(world, case, "income_proof")
    assert [one.pointer for one in refusal(world, case, PROMISE).faults] == [
        "/papers/property_proof"
    ]
    hand_in(world, case, "property_proof")
    world.submit("甲测试", case, PROMISE)
    assert world.state(case) == "submitted"


def test_the_draft_says_so_before_anything_is_filled_in(world: CaseWorld) -> None:
    bar(world)
    draft = world.begun("甲测试", rules=PROMISE).id
    with world.acting("甲测试") as (session, _):
        case = case_of(session, draft)
        proof = proof_instead(session, case, PROMISE, world.today)
        assert proof is not None
        assert proof.papers == ("income_proof", "property_proof")
        assert proof.told.startswith(
            "您这次不能用承诺书代替材料，请上传“收入证明”、“财产证明”，不用签承诺书。"
        )
        with pytest.raises(revoking.PromiseBarred):
            check_promise(session, case, PROMISE, world.today)


def must_sign(world: CaseWorld, case: int, rules: Procedure) -> bool:
    hand_in(world, case, "income_proof", "property_proof")
    return isinstance(refusal(world, case, rules), LetterNotSigned)


def test_everybody_else_signs_even_with_the_papers(world: CaseWorld) -> None:
    """Who was never barred; whose bar is over; another's bar; a letter that is no promise."""
    world.resident("乙测试")
    bar(world, "乙测试")
    case = world.filled("甲测试", rules=PROMISE)
    assert must_sign(world, case, PROMISE)
    bar(world, days=-1)
    assert isinstance(refusal(world, case, PROMISE), LetterNotSigned)
    bar(world)
    assert isinstance(refusal(world, case, CONSENT), LetterNotSigned)


def test_the_bar_ends_with_its_last_day(world: CaseWorld) -> None:
    bar(world, days=0)
    case = world.filled("甲测试", rules=PROMISE)
    hand_in(world, case, "income_proof", "property_proof")
    world.today += timedelta(days=1)
    assert isinstance(refusal(world, case, PROMISE), LetterNotSigned)
    world.today -= timedelta(days=1)
    world.submit("甲测试", case, PROMISE)


def test_gave_the_letter_way_to_everybody_it_would_be_seen(
    world: CaseWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: with a bar that is everybody's, the test above submits."""
    everybody = revoking.Proof(world.today, (), "")
    monkeypatch.setattr(submitting, "proof_instead", lambda *_: everybody)
    case = world.filled("甲测试", rules=PROMISE)
    hand_in(world, case, "income_proof", "property_proof")
    world.submit("甲测试", case, PROMISE)
    assert world.state(case) == "submitted"


def test_in_an_emergency_the_certificate_is_enough_for_them_too(world: CaseWorld) -> None:
    bar(world)
    case = world.filled("甲测试", rules=PROMISE)
    world.town.accounts.change("UPDATE application SET fast_lane = true WHERE id = :c", c=case)
    hand_in(world, case, "diagnosis_certificate")
    world.submit("甲测试", case, PROMISE)
    assert world.state(case) == "submitted"


def decided(world: CaseWorld, who: str, case: int, step: Step) -> str:
    book = replace(BOOK, procedures={PROMISE.policy: {PROMISE.kind: PROMISE}})
    with world.acting(who) as (session, actor):
        seq = case_of(session, case).seq
        office = Office(actor, world.keyring, book, world.today)
        return decide(session, office, Decision(case, seq, step)).state


def helped(world: CaseWorld) -> int:
    """Somebody barred, helped in an emergency on the certificate alone."""
    bar(world)
    case = world.filled("甲测试", rules=PROMISE)
    world.town.accounts.change("UPDATE application SET fast_lane = true WHERE id = :c", c=case)
    hand_in(world, case, "diagnosis_certificate")
    world.submit("甲测试", case, PROMISE)
    world.does("镇甲", case, "accept", PROMISE)
    world.does("县甲", case, "help", PROMISE)
    return case


def test_after_help_the_papers_are_owed_before_anything_is_granted(world: CaseWorld) -> None:
    """Within the fast lane's own period; the end of the bar meanwhile changes nothing."""
    case = helped(world)
    with world.acting("镇乙") as (session, _):
        assert "papers_owed" in {one.clock for one in running(session, case)}
    world.town.accounts.change("DELETE FROM promise_barred")
    hand_in(world, case, "income_proof")
    with pytest.raises(PapersOwed) as refused:
        decided(world, "镇乙", case, Step("review", proposal="grant"))
    assert refused.value.faults[0].detail == (
        "急重病先行救助以后要补交的材料还没有交：“财产证明”。"
        "请等申请人补交，交齐了再拟同意；到期没有交的，可以拟不同意，写明情况。"
    )
    hand_in(world, case, "property_proof")
    assert decided(world, "镇乙", case, Step("review", proposal="grant")) == "reviewed"
    assert decided(world, "县乙", case, Step("approve")) == "granted"


def test_papers_that_never_came_are_a_reason_to_refuse_and_not_to_approve(
    world: CaseWorld,
) -> None:
    case = helped(world)
    review = Step("review", proposal="refuse", reason="other", note="没有补交")
    assert decided(world, "镇乙", case, review) == "reviewed"
    with pytest.raises(PapersOwed):
        decided(world, "县乙", case, Step("approve"))
    refuse = Step("refuse", reason="other", note="没有补交")
    assert decided(world, "县乙", case, refuse) == "refused"


def test_every_kind_that_bars_names_papers_in_the_place_of_its_letter() -> None:
    """Over the catalogue: nobody is left who can neither promise nor prove."""
    for policy in BOOK.policies:
        for kind, one in BOOK.procedures[policy].items():
            proofs = [paper for paper in one.papers.values() if paper.required == "no_promise"]
            assert bool(proofs) is ("promise_barred" in one.deadlines), (policy, kind)
