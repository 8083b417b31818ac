"""What anybody says against an entry reaches one desk, is decided once, before the grant counts."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest
from sqlalchemy import text

from backend.applications.desk import recuse
from backend.applications.steps import NotYourDesk
from backend.applications.upkeep import Rounds
from backend.kernel import clock, keys
from backend.kernel.database import bound, transaction
from backend.policies.catalogue import load_catalogue
from backend.progress.timeline import Look, Progress, progress_of
from backend.public_notices.objections import (
    Objecting,
    ObjectionDecided,
    ObjectionKeyUsed,
    Standing,
    UnknownObjection,
    Verdict,
    decide_objection,
    make_objection,
    objection_by_code,
    objections_waiting,
)
from backend.public_notices.reading import NoticeDown, NoticesAsked, notice_shown, notices_up
from tests.support.case_paths import case_in
from tests.support.case_world import CaseWorld
from tests.support.notice_days import days_later, days_up, noon_of

WORDS = "他家今年买了新车，不该批。"
book = cache(load_catalogue)
DESKS = ("镇甲", "县甲", "市甲", "邻县")


@pytest.fixture(autouse=True)
def _keys(world: CaseWorld, tmp_path: Path) -> None:
    keys.bind(tmp_path / "keys.json")
    world.today = clock.today()


@pytest.fixture
def case(world: CaseWorld) -> int:
    """On a list that is up."""
    made = case_in(world, "noticed")
    noon_of(world.owner, clock.today())
    return made


def entry_up(world: CaseWorld) -> tuple[int, int]:
    with bound(world.site), transaction() as session:
        notice = notices_up(session, NoticesAsked())[0][0].id
        return notice, notice_shown(session, notice).entries[0].id


def objects(world: CaseWorld, key: str = "key-of-mine-1", words: str = WORDS) -> str:
    """Somebody without a session; the code."""
    notice, entry = entry_up(world)
    with bound(world.site), transaction() as session:
        return make_objection(session, keys.keyring(), Objecting(notice, entry, key, words, "王"))


def listed(world: CaseWorld, name: str) -> list[int]:
    with world.acting(name) as (session, actor):
        return [one.id for one in objections_waiting(session, keys.keyring(), actor)]


def decides(world: CaseWorld, name: str, upheld: bool, answer: str = "已核实") -> None:
    (objection,) = listed(world, "县甲") or listed(world, "市甲")
    with world.acting(name) as (session, actor):
        rounds = Rounds(book(), keys.keyring(), clock.today())
        decide_objection(session, actor, Verdict(objection, upheld, answer), rounds)


def standing(world: CaseWorld, code: str) -> Standing:
    with bound(world.site), transaction() as session:
        return objection_by_code(session, keys.keyring(), code)


def progress_of_person(world: CaseWorld, case: int) -> Progress:
    with world.acting("甲测试") as (session, actor):
        return progress_of(session, Look(actor, keys.keyring(), book(), clock.today()), case)


def owed(world: CaseWorld, case: int) -> set[str]:
    """What the person is still to be told of the case."""
    due = text("SELECT kind FROM notice_due WHERE cause LIKE :of")
    with world.owner.connect() as connection:
        return set(connection.execute(due, {"of": f"application:{case}:%"}).scalars())


def test_an_objection_reaches_exactly_one_list(world: CaseWorld, case: int) -> None:
    objects(world)
    assert [name for name in DESKS if listed(world, name)] == ["县甲"]
    with world.acting("县甲") as (session, actor):
        (one,) = objections_waiting(session, keys.keyring(), actor)
    assert (one.case_id, one.words, one.contact, one.name) == (case, WORDS, "王", "甲**")
    world.by_itself(case, "escalate")
    assert [name for name in DESKS if listed(world, name)] == ["市甲"]


def test_sent_again_it_is_one_objection_with_one_code(world: CaseWorld, case: int) -> None:
    with ThreadPoolExecutor(6) as pool:
        codes = set(pool.map(lambda _: objects(world), range(24)))
    assert len(codes) == 1
    assert len(listed(world, "县甲")) == 1
    assert objects(world, "key-of-mine-2") not in codes


def test_a_key_is_of_one_entry(world: CaseWorld, case: int) -> None:
    notice, entry = entry_up(world)
    objects(world)
    other = Objecting(notice, entry + 1, "key-of-mine-1", WORDS)
    with bound(world.site), transaction() as session, pytest.raises(ObjectionKeyUsed):
        make_objection(session, keys.keyring(), other)


def test_nothing_of_an_objection_lies_in_the_open(world: CaseWorld, case: int) -> None:
    code = objects(world)
    with world.owner.connect() as connection:
        row = connection.execute(text("SELECT * FROM notice_objection")).one()
    kept = b"".join(bytes(one) for one in row if isinstance(one, (bytes, memoryview)))
    for secret in (WORDS, "王", code):
        assert secret.encode() not in kept


def test_while_one_is_open_nothing_is_granted(world: CaseWorld, case: int) -> None:
    objects(world)
    days_later(world.owner, days_up(world.owner) + 1)
    later = clock.today() + timedelta(days=1)
    assert noon_of(world.owner, later) == []
    assert world.state(case) == "noticed"
    decides(world, "县乙", upheld=False)
    assert noon_of(world.owner, later + timedelta(days=1)) == ["public_notices.confirm"]
    assert world.state(case) == "granted"


def test_one_that_is_upheld_sends_the_case_back(world: CaseWorld, case: int) -> None:
    code = objects(world)
    assert standing(world, code).state == "open"
    decides(world, "县乙", upheld=True, answer="已核实，重新办理")
    assert world.state(case) == "reviewed"
    found = standing(world, f" {code[:5].lower()}－{code[5:]}。")
    assert (found.state, found.answer) == ("upheld", "已核实，重新办理")


def test_the_person_hears_that_it_is_looked_at_again_and_nothing_of_the_objection(
    world: CaseWorld, case: int
) -> None:
    objects(world)
    decides(world, "县乙", upheld=True, answer="他家的车已核实")
    found = progress_of_person(world, case)
    assert (found.steps[-1].deed, found.steps[-1].note) == ("stop", "")
    assert "县（市、区）医保局" in found.steps[-1].text
    assert "application_stopped" in owed(world, case)


def test_it_is_decided_once(world: CaseWorld, case: int) -> None:
    objects(world)
    (objection,) = listed(world, "县甲")

    def decide(upheld: bool) -> str:
        verdict = Verdict(objection, upheld, "已核实")
        try:
            with world.acting("县甲" if upheld else "县乙") as (session, actor):
                rounds = Rounds(book(), keys.keyring(), clock.today())
                decide_objection(session, actor, verdict, rounds)
        except (ObjectionDecided, NotYourDesk) as refusal:
            return refusal.code
        return "decided"

    with ThreadPoolExecutor(6) as pool:
        outcome = list(pool.map(decide, [True, False] * 6))
    assert outcome.count("decided") == 1
    with world.owner.connect() as connection:
        kept = connection.execute(text("SELECT state, staff_id FROM notice_objection")).one()
    upheld = outcome.index("decided") % 2 == 0
    assert kept.state == ("upheld" if upheld else "dismissed")
    assert kept.staff_id == world.staff_ids["县甲" if upheld else "县乙"]


def test_who_is_part_of_the_case_decides_no_objection(world: CaseWorld, case: int) -> None:
    objects(world)
    with world.acting("县乙") as (session, actor):
        recuse(session, actor, case)
    with pytest.raises(NotYourDesk):
        decides(world, "县乙", upheld=False)
    for name in ("镇甲", "邻县"):
        with pytest.raises(UnknownObjection):
            decides(world, name, upheld=False)
    with pytest.raises(NotYourDesk):
        decides(world, "市甲", upheld=False)


def test_what_is_withdrawn_meanwhile_leaves_nothing_open(world: CaseWorld, case: int) -> None:
    code = objects(world)
    world.does("甲测试", case, "withdraw")
    assert [name for name in DESKS if listed(world, name)] == ["县甲"]
    noon_of(world.owner, clock.today() + timedelta(days=1))
    assert listed(world, "县甲") == []
    assert standing(world, code).state == "moot"


def test_nobody_objects_to_a_list_that_is_down(world: CaseWorld, case: int) -> None:
    notice, entry = entry_up(world)
    days_later(world.owner, days_up(world.owner) + 1)
    with bound(world.site), transaction() as session, pytest.raises(NoticeDown):
        make_objection(session, keys.keyring(), Objecting(notice, entry, "key-late-1", WORDS))


def test_a_code_that_nobody_has_is_told_nothing(world: CaseWorld, case: int) -> None:
    objects(world)
    with pytest.raises(UnknownObjection):
        standing(world, "2345678923")
