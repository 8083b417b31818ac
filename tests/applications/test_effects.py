"""What a granted case brings, to the fen; and what is taken back."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine

from backend.applications.revoking import barred
from tests.support.case_effects import BOOK, Effects
from tests.support.case_world import CaseWorld

RECOGNITION = BOOK.procedure("wuxi-2022-98", "recognition")


@pytest.fixture
def effects(database: Engine, world: CaseWorld, tmp_path: Path) -> Iterator[Effects]:
    made = Effects(database, world.keyring, tmp_path, world.today)
    yield made
    made.worker.dispose()


def recognised(world: CaseWorld, category: str = "subsistence_marginal") -> int:
    """A case of recognition, granted; and a stay of 10,000 yuan that ends after submitting."""
    world.town.register.bill("甲测试", "B1", "2026-11-27", "10000.00", admitted="2026-11-20")
    case = world.begun("甲测试").id
    for code, value in (("category", category), ("income", "12000"), ("people", "3")):
        world.answer("甲测试", case, code, value)
    world.submit("甲测试", case)
    world.does("镇甲", case, "accept")
    world.does("镇甲", case, "review")
    world.does("县甲", case, "approve")
    return case


def identities(effects: Effects) -> list[tuple[object, ...]]:
    return effects.ask(
        "SELECT c.code, d.code, i.from_on::text, i.to_on::text, i.applied_on::text,"
        " i.application_id FROM identity i"
        " JOIN code_number c ON c.kind = 'category' AND c.number = i.category"
        " JOIN code_number d ON d.kind = 'department' AND d.number = i.department"
    )


def test_a_recognition_is_an_identity_from_the_day_of_submitting_and_pays_to_the_fen(
    world: CaseWorld, effects: Effects
) -> None:
    case = recognised(world)
    effects.account(world.people["甲测试"].id)
    assert effects.settle(case)
    (day,) = effects.ask(
        "SELECT (submitted_at AT TIME ZONE 'Asia/Shanghai')::date::text FROM application"
    )
    assert identities(effects) == [
        ("subsistence_marginal", "civil_affairs", day[0], "infinity", day[0], case)
    ]
    assert effects.finish(case) == ""  # no run has been released
    effects.match()
    assert effects.granted() == [("B1", 700_000)]  # 10,000 yuan at 70%
    assert effects.finish(case) == ""
    assert effects.pay("320281") == 700_000
    assert effects.finish(case) == "pay"
    assert effects.finish(case) == "close"
    assert world.state(case) == "closed"


def test_brought_again_nothing_more_happens(world: CaseWorld, effects: Effects) -> None:
    case = recognised(world)
    assert [effects.settle(case) for _ in range(3)] == [True, False, False]
    assert len(identities(effects)) == 1


def test_where_nothing_is_owed_the_case_closes_once_the_run_is_released(
    world: CaseWorld, effects: Effects
) -> None:
    case = recognised(world, "illness_impoverished")  # Wuxi states no rate for it
    effects.settle(case)
    runs = effects.match(release=False)
    assert effects.finish(case) == ""
    for run in runs:
        effects.release(run)
    assert effects.finish(case) == "close"


def test_the_department_s_own_row_of_the_same_days_stands_beside_it(
    world: CaseWorld, effects: Effects
) -> None:
    case = recognised(world)
    effects.settle(case)
    register = world.town.register
    register.identity("甲测试", "subsistence_marginal", "2026-01-01", department="civil_affairs")
    assert len(identities(effects)) == 2


def revoked(world: CaseWorld, case: int, reason: str = "false_promise") -> None:
    world.does("镇甲", case, "propose", reason=reason)
    world.does("县乙", case, "revoke", reason=reason)


def test_a_revocation_takes_the_identity_back_and_asks_for_the_money(
    world: CaseWorld, effects: Effects
) -> None:
    case = recognised(world)
    effects.account(world.people["甲测试"].id)
    effects.settle(case)
    effects.match()
    assert effects.pay("320281") == 700_000
    revoked(world, case)
    assert effects.settle(case)
    assert identities(effects) == []
    effects.match()
    assert effects.granted() == []
    (entry,) = effects.ask("SELECT kind, amount FROM grant_entry WHERE amount < 0")
    assert entry == (3, -700_000)
    with effects.working() as session:
        until = barred(session, world.people["甲测试"].id, world.today)
    assert until is not None
    assert until > date(2027, 9, 1)


def test_who_is_revoked_for_an_error_of_the_office_may_promise_again(
    world: CaseWorld, effects: Effects
) -> None:
    case = recognised(world)
    effects.settle(case)
    revoked(world, case, "office_error")
    effects.settle(case)
    with effects.working() as session:
        assert barred(session, world.people["甲测试"].id, world.today) is None


# -- kills ---------------------------------------------------------------------------------------

CHILD = """
import sys, time
from datetime import date
from backend.kernel.copy import raw
import backend.applications.effects as effects
from backend.applications.ground import Ground
from backend.kernel.crypto import Keyring
from backend.kernel.database import bound, engine_for, transaction
from backend.policies.catalogue import load_catalogue
url, keys, case, day, sabotaged = sys.argv[1:6]
def middle(session, *_):
    print("middle", flush=True)
    time.sleep(60)
def too_early(session, *_):
    raw(session).commit()
    middle(session)
effects.ask_to_match = middle
if sabotaged == "yes":
    effects._BRINGS = {"identity": too_early}
from pathlib import Path
with bound(engine_for(url, role="worker")), transaction() as session:
    ground = Ground(Keyring.open_or_create(Path(keys)), load_catalogue(), date.fromisoformat(day))
    effects.settle_effects(session, ground, int(case))
"""


def killed_in_the_middle(effects: Effects, case: int, *, sabotaged: str = "no") -> None:
    url = effects.owner.url.render_as_string(hide_password=False)
    keys = effects.folder / "keys.json"
    given = [url, str(keys), str(case), effects.today.isoformat(), sabotaged]
    command = [sys.executable, "-c", CHILD, *given]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        said = child.stdout.readline()
        child.kill()
    assert said == b"middle\n"


def test_killed_in_the_middle_of_bringing_it_comes_to_the_same_once(
    world: CaseWorld, effects: Effects
) -> None:
    case = recognised(world)
    for _ in range(3):
        killed_in_the_middle(effects, case)
        assert identities(effects) == []
    assert effects.settle(case)
    assert not effects.settle(case)
    assert len(identities(effects)) == 1
    effects.match()
    assert effects.granted() == [("B1", 700_000)]


def test_control_marked_as_brought_before_it_is_the_identity_is_lost(
    world: CaseWorld, effects: Effects
) -> None:
    case = recognised(world)
    killed_in_the_middle(effects, case, sabotaged="yes")
    effects.settle(case)
    assert identities(effects) == []


def moves(world: CaseWorld) -> None:
    """甲 is registered in another county from now on."""
    world.town.accounts.change(
        "UPDATE person SET area = 320282101001, lives_in = 320282101001 WHERE id = :id",
        id=world.people["甲测试"].id,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("when", "pays"), [("granted", "320282"), ("settled", "320282"), ("matched", "320281")]
)
def test_who_moves_away_while_money_waits_is_paid_all_the_same(
    world: CaseWorld, effects: Effects, when: str, pays: str
) -> None:
    """Whoever moved before the run of the old county began is matched in the new one, once."""
    case = recognised(world)
    effects.account(world.people["甲测试"].id)
    for now, go_on in (("granted", effects.settle), ("settled", None), ("matched", None)):
        if now == "matched":
            effects.match()
        if now == when:
            moves(world)
        if go_on is not None:
            assert go_on(case)
    assert [effects.finish(case) for _ in range(2)] == ["", ""]
    effects.match()
    assert effects.granted() == [("B1", 700_000)]
    assert effects.pay(pays) == 700_000
    assert [effects.finish(case) for _ in range(2)] == ["pay", "close"]
    assert effects.ask("SELECT DISTINCT area FROM application_match ORDER BY 1") == {
        "granted": [(320282,)], "settled": [(320281,), (320282,)], "matched": [(320281,)],
    }[when]  # fmt: skip


def test_a_year_that_was_matched_after_the_move_is_followed_though_another_brought_money(
    world: CaseWorld, effects: Effects
) -> None:
    case = recognised(world)
    effects.settle(case)
    effects.match()
    moves(world)
    world.town.accounts.change(
        "INSERT INTO match_run OVERRIDING SYSTEM VALUE SELECT (jsonb_populate_record(run,"
        " jsonb_build_object('id', run.id + 1000, 'year', run.year - 1))).* FROM match_run AS run"
    )
    world.town.accounts.change(
        "INSERT INTO application_match (application_id, area, year, asked_on, run_id)"
        " SELECT application_id, area, year - 1, asked_on, run_id + 1000 FROM application_match"
    )
    effects.finish(case)
    asked = "SELECT area, year - (SELECT max(year) FROM application_match) FROM application_match"
    assert effects.ask(f"{asked} WHERE run_id IS NULL") == [(320282, -1)]
