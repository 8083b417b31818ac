"""Lists go up for their days, masked as they are kept, and come down on their day."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from backend.applications.cases import UnknownCase, case_of
from backend.applications.clocks import running
from backend.applications.steps import DeedImpossible
from backend.citizens.id_number import LENGTH
from backend.kernel import clock, keys
from backend.kernel.calendar import working_days_between
from backend.kernel.database import bound, transaction
from backend.public_notices.publishing import masked_name, masked_number
from backend.public_notices.reading import NoticeDown, NoticesAsked, Shown, notice_shown, notices_up
from tests.support.case_paths import case_in
from tests.support.case_world import CaseWorld
from tests.support.notice_days import days_later, days_up, noon_of, several_up

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _keys(world: CaseWorld, tmp_path: Path) -> None:
    keys.bind(tmp_path / "keys.json")
    world.today = clock.today()


def ids_up(world: CaseWorld, area: str = "") -> list[int]:
    """The lists that anybody sees who has no session at all."""
    with bound(world.site), transaction() as session:
        return [one.id for one in notices_up(session, NoticesAsked(area))[0]]


def shown(world: CaseWorld, notice: int) -> Shown:
    with bound(world.site), transaction() as session:
        return notice_shown(session, notice)


def published(world: CaseWorld) -> tuple[int, int]:
    """A case on a list that is up; both."""
    case = case_in(world, "noticed")
    assert noon_of(world.owner, clock.today()) == ["public_notices.publish"]
    (notice,) = ids_up(world)
    return case, notice


def test_a_case_in_notice_goes_on_the_list_of_its_village_once(world: CaseWorld) -> None:
    cases = [case_in(world, "noticed") for _ in range(3)]
    case_in(world, "granted")
    assert len(noon_of(world.owner, clock.today())) == 3
    assert noon_of(world.owner, clock.today()) == []
    (notice,) = ids_up(world)
    assert len(shown(world, notice).entries) == len(cases)


def test_a_job_that_comes_days_late_takes_no_day_from_the_list(world: CaseWorld) -> None:
    """A worker that stood still: the round of the day on which it goes on puts the case up."""
    case_in(world, "noticed")
    assert noon_of(world.owner, clock.today() - 10 * DAY) == ["public_notices.publish"]
    assert ids_up(world) == []
    assert noon_of(world.owner, clock.today()) == ["public_notices.publish"]
    (notice,) = ids_up(world)
    assert shown(world, notice).notice.first_day == clock.today()


def test_a_list_is_up_for_all_its_working_days(world: CaseWorld) -> None:
    case, notice = published(world)
    found = shown(world, notice).notice
    assert working_days_between(found.first_day - DAY, found.last_day).days == 5
    with world.acting("甲测试") as (session, _):
        due = [one.due_on for one in running(session, case) if one.clock == "notice"]
    assert due == [found.last_day]


def test_a_list_says_no_more_than_it_may(world: CaseWorld) -> None:
    _, notice = published(world)
    found = shown(world, notice)
    whom = world.people["甲测试"]
    assert found.notice.area == "320281101001"
    (entry,) = found.entries
    assert (entry.name, entry.kind_name) == ("甲**", "医疗救助认定")
    assert entry.number == "*" * 16 + whom.number[-2:]


def test_on_the_day_after_its_last_a_list_is_down(world: CaseWorld) -> None:
    _, notice = published(world)
    days_later(world.owner, days_up(world.owner))
    assert ids_up(world) == [notice]
    assert shown(world, notice).entries
    days_later(world.owner, 1)
    assert ids_up(world) == []
    with pytest.raises(NoticeDown):
        shown(world, notice)


def test_a_list_of_tomorrow_is_not_up_yet(world: CaseWorld) -> None:
    _, notice = published(world)
    days_later(world.owner, -1)
    with pytest.raises(NoticeDown):
        shown(world, notice)


def test_who_withdraws_is_off_the_list_at_once(world: CaseWorld) -> None:
    case, notice = published(world)
    world.does("甲测试", case, "withdraw")
    with pytest.raises(NoticeDown):
        shown(world, notice)
    assert ids_up(world) == []


@pytest.mark.parametrize(
    ("area", "found"),
    [("320281", 1), ("320281101", 1), ("320281101001", 1), ("320282", 0), ("320200", 1)],
)
def test_lists_are_asked_for_by_place(world: CaseWorld, area: str, found: int) -> None:
    published(world)
    assert len(ids_up(world, area)) == found


def test_lists_that_are_up_are_read_page_by_page(world: CaseWorld) -> None:
    up = several_up(world, 3)
    read: list[int] = []
    asked = NoticesAsked("320281", most=2)
    with bound(world.site), transaction() as session:
        for _ in up:
            found, following = notices_up(session, asked)
            read += [one.id for one in found]
            if following is None:
                break
            asked = NoticesAsked("320281", most=2, before=following)
    assert read == up[::-1]
    assert (len(up), len(found)) == (3, 1)


def test_a_page_that_holds_all_has_no_next(world: CaseWorld) -> None:
    up = several_up(world, 2)
    with bound(world.site), transaction() as session:
        found, following = notices_up(session, NoticesAsked(most=2))
    assert ([one.id for one in found], following) == (up[::-1], None)


def test_after_the_last_day_a_case_is_granted_and_not_before(world: CaseWorld) -> None:
    case, _ = published(world)
    days_later(world.owner, days_up(world.owner))
    assert noon_of(world.owner, clock.today()) == []
    assert world.state(case) == "noticed"
    days_later(world.owner, 1)
    assert noon_of(world.owner, clock.today() + DAY) == ["public_notices.confirm"]
    assert world.state(case) == "granted"


def test_a_day_that_was_wrongly_given_cannot_shorten_a_notice(world: CaseWorld) -> None:
    """The database looks at its own day, too."""
    case, _ = published(world)
    with pytest.raises(DeedImpossible) as refusal:
        noon_of(world.owner, clock.today() + 100 * DAY)
    assert "公示还没有期满" in refusal.value.faults[0].detail
    assert world.state(case) == "noticed"


def test_by_hand_a_notice_is_over_no_sooner(world: CaseWorld) -> None:
    case = case_in(world, "noticed")
    with pytest.raises(DeedImpossible):
        world.does("县乙", case, "confirm")
    noon_of(world.owner, clock.today())
    with pytest.raises(DeedImpossible):
        world.does("县乙", case, "confirm")
    days_later(world.owner, days_up(world.owner) + 1)
    assert world.does("县乙", case, "confirm").state == "granted"


def test_a_case_that_is_approved_again_is_on_a_list_again(world: CaseWorld) -> None:
    case, old = published(world)
    world.does("县乙", case, "stop")
    assert ids_up(world) == []
    world.does("县乙", case, "approve")
    assert noon_of(world.owner, clock.today() + DAY) == ["public_notices.publish"]
    with world.acting("县甲") as (session, _):
        assert case_of(session, case).state == "noticed"
    days_later(world.owner, 1)
    (new,) = ids_up(world)
    assert new != old
    assert len(shown(world, new).entries) == 1


@pytest.mark.parametrize("when", ["before", "after"])
def test_whose_person_moves_away_the_notice_goes_on_where_it_was_begun(
    world: CaseWorld, when: str
) -> None:
    """Moved before the list went up, or after; it ends as any, and who moved hears of the grant."""
    case = case_in(world, "noticed")
    if when == "before":
        moves_away(world)
    noon_of(world.owner, clock.today())
    if when == "after":
        moves_away(world)
    (notice,) = ids_up(world, "320281")
    assert ids_up(world, "320282") == []
    (entry,) = shown(world, notice).entries
    assert (entry.name, entry.number[-2:]) == ("甲**", world.people["甲测试"].number[-2:])
    days_later(world.owner, days_up(world.owner) + 1)
    assert noon_of(world.owner, clock.today() + DAY) == ["public_notices.confirm"]
    assert world.state(case) == "granted"
    with world.owner.connect() as connection:
        owed = text("SELECT kind FROM notice_due WHERE cause LIKE :cause ORDER BY id DESC LIMIT 1")
        cause = {"cause": f"application:{case}:%"}
        assert connection.scalar(owed, cause) == "application_granted"


def test_the_desk_stops_the_notice_of_who_moved_away_and_puts_it_up_anew(world: CaseWorld) -> None:
    case, _ = published(world)
    moves_away(world)
    with pytest.raises(UnknownCase):
        world.does("邻县", case, "stop")
    assert world.does("县乙", case, "stop").state == "reviewed"
    assert world.does("县乙", case, "approve").state == "noticed"
    assert noon_of(world.owner, clock.today() + DAY) == ["public_notices.publish"]
    days_later(world.owner, 1)
    assert len(ids_up(world, "320281")) == 1


def moves_away(world: CaseWorld) -> None:
    """甲 is registered in another county from now on."""
    world.town.accounts.change(
        "UPDATE person SET area = 320282101001, lives_in = 320282101001 WHERE id = :id",
        id=world.people["甲测试"].id,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("name", "甲测试"), ("name", "甲*测"), ("number", "320281198005011233"),
        ("number", "320***********1233"), ("kind", "肺癌"), ("kind", "19900000009"),
    ],
)  # fmt: skip
def test_what_is_not_masked_cannot_be_kept_in_a_list(
    world: CaseWorld, column: str, value: str
) -> None:
    published(world)
    row: dict[str, Any] = {"name": "甲**", "number": "*" * 16 + "33", "kind": "recognition"}
    statement = text(
        "INSERT INTO public_notice_entry SELECT nextval('row_id'), notice_id, application_id,"
        " 99, :name, :number, :kind FROM public_notice_entry"
    )
    with world.owner.connect() as connection, pytest.raises(DBAPIError, match=r"_masked|_a_code"):
        connection.execute(statement, row | {column: value})


def test_the_site_without_a_session_reads_nothing_but_what_is_up(world: CaseWorld) -> None:
    published(world)
    with bound(world.site), transaction() as session:
        for table in ("public_notice", "public_notice_entry", "notice_objection", "application"):
            assert session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() == 0


@pytest.mark.parametrize(
    ("name", "masked"),
    [("张三", "张*"), ("张三丰", "张**"), ("欧阳小丽", "欧***"), ("阿依古丽·买买提", "阿***"),
     ("张", "张*"), ("", "*"), ("3号", "*"), ("*", "*")],
)  # fmt: skip
def test_a_name_shows_its_first_sign(name: str, masked: str) -> None:
    assert masked_name(name) == masked


def test_a_number_shows_its_last_two_signs() -> None:
    assert masked_number("32028119800501123X") == "*" * 16 + "3X"
    assert len(masked_number("")) == len(masked_number("123")) == LENGTH
