"""That the same is going on already is told from the draft on."""

from __future__ import annotations

from backend.applications.cases import case_of, cipher_of
from backend.applications.drafts import answers_of
from backend.applications.going import going_beside
from tests.support.case_world import CaseWorld
from tests.support.procedures import procedure

WHO = "甲测试"


def told(world: CaseWorld, case: int) -> int | None:
    """The other case that the draft's applicant is told of."""
    with world.acting(WHO) as (session, _actor):
        own = case_of(session, case)
        answers = answers_of(session, cipher_of(session, world.keyring, own), case)
        found = going_beside(session, own, procedure(), answers)
    return None if found is None else found.id


def test_a_draft_is_told_of_the_case_that_it_would_be_once_more(world: CaseWorld) -> None:
    first = world.submitted(WHO)
    assert told(world, first) is None
    draft = world.begun(WHO).id
    assert told(world, draft) is None  # which identity is asked for is not said yet
    world.answer(WHO, draft, "category", "subsistence_marginal")
    assert told(world, draft) is None
    world.answer(WHO, draft, "category", "illness_impoverished", version=1)
    assert told(world, draft) == first
    world.does("镇甲", first, "accept")
    world.does("镇甲", first, "review", proposal="refuse")
    assert told(world, draft) == first
    world.does("县甲", first, "refuse")
    assert told(world, draft) is None
