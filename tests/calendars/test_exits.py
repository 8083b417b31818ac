from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import text

from backend.calendars.exits import Counted, ask_to_renew, tell_exits
from backend.kernel.database import transaction
from backend.policies.book import PolicyBook
from tests.support.households import Households

LOW, ILL = "subsistence_allowance", "expenditure_poor_seriously_ill"
TINGHU = 320902001001


def tell(day: str) -> Counted:
    with transaction() as session:
        return tell_exits(session, date.fromisoformat(day))


def renew(book: PolicyBook, day: str) -> Counted:
    with transaction() as session:
        return ask_to_renew(session, date.fromisoformat(day), book, ["320281", "320902"])


def test_who_no_longer_qualifies_is_owed_a_message_and_a_word_in_person_once(
    homes: Households,
) -> None:
    own = homes.member("甲")
    identity = homes.register.identity("甲", LOW, "2023-01-01", "2024-04-30")
    assert tell("2024-04-30") == Counted(0, 0, 0)
    assert tell("2024-05-01") == Counted(1, 1, 0)
    assert tell("2024-05-02") == Counted(0, 0, 0)
    assert homes.rows("SELECT person_id, kind, cause FROM notice_due") == [
        (own, "exit", f"identity:{identity}:2024-04-30")
    ]
    assert homes.rows("SELECT kind, role, list_area, subject_id FROM work_item") == [
        ("exit_told", "village_coordinator", 320281101001, str(identity))
    ]


@pytest.mark.parametrize(
    ("category", "from_", "told"),
    [
        (LOW, "2024-05-01", 0),
        (LOW, "2024-05-02", 1),
        ("subsistence_marginal", "2024-05-01", 1),
    ],
)
def test_an_identity_that_goes_on_has_not_ended(
    homes: Households, category: str, from_: str, told: int
) -> None:
    homes.member("甲")
    homes.register.identity("甲", LOW, "2023-01-01", "2024-04-30")
    homes.register.identity("甲", category, from_)
    assert tell("2024-05-10").notices == told


def test_the_same_category_held_from_another_department_goes_on(homes: Households) -> None:
    homes.member("甲")
    homes.register.identity("甲", LOW, "2023-01-01", "2024-04-30")
    other = homes.register.identity("甲", LOW, "2025-01-01")
    with homes.session() as session, session.begin():
        session.execute(
            text("UPDATE identity SET department = 2, from_on = '2022-01-01' WHERE id = :id"),
            {"id": other},
        )
    assert tell("2024-05-10").notices == 0


def test_the_dead_are_told_nothing_and_those_who_moved_are(homes: Households) -> None:
    for name in "甲乙丙":
        homes.member(name)
        homes.register.identity(
            name, LOW, "2023-01-01", "2024-04-30" if name == "甲" else "infinity"
        )
    homes.dies("甲", "2024-04-30")
    homes.moves("乙", "2024-04-30")
    assert tell("2024-05-10") == Counted(1, 1, 0)
    assert homes.rows("SELECT person_id, cause FROM notice_due") == [
        (homes.register.ids["乙"], f"moved:{homes.register.ids['乙']}:2024-04-30")
    ]


def test_an_end_long_ago_is_no_news(homes: Households) -> None:
    homes.member("甲")
    homes.register.identity("甲", LOW, "2020-01-01", "2023-04-30")
    assert tell("2024-05-10") == Counted(0, 0, 0)


def delivered(homes: Households, row: int, day: str, table: str = "identity") -> None:
    """The row as a file of that day brought it."""
    homes.execute(
        "INSERT INTO data_file (kind, name, sha256, mapping_sha256, size, state, loaded_by,"
        " started_at) VALUES ('identities', 'x.csv', sha256(convert_to(CAST(:day AS text), 'UTF8')), '', 1, 'loaded',"
        " '测试', CAST(CAST(:day AS text) AS timestamptz))",
        day=day,
    )
    homes.execute(
        f"UPDATE {table} SET file_id = (SELECT max(id) FROM data_file) WHERE id = :row", row=row
    )


@pytest.mark.parametrize(("day", "told"), [("2024-11-30", 1), ("2024-12-01", 0)])
def test_an_end_that_becomes_known_late_is_told_all_the_same(
    homes: Households, day: str, told: int
) -> None:
    homes.member("甲")
    identity = homes.register.identity("甲", LOW, "2020-01-01")
    homes.register.end_identity(identity, "2023-04-30")
    delivered(homes, identity, "2024-08-30T09:00+08:00")
    assert tell(day) == Counted(told, told, 0)


def test_ends_in_a_roster_of_years_ago_are_no_news_when_it_comes_for_the_first_time(
    homes: Households,
) -> None:
    homes.member("甲")
    identity = homes.register.identity("甲", LOW, "2020-01-01", "2023-04-30")
    delivered(homes, identity, "2024-08-30T09:00+08:00")
    assert tell("2024-08-31") == Counted(0, 0, 0)


def test_an_end_known_for_long_is_no_news_because_its_row_changes_otherwise(
    homes: Households,
) -> None:
    homes.member("甲")
    identity = homes.register.identity("甲", LOW, "2020-01-01", "2023-04-30")
    delivered(homes, identity, "2023-05-02T09:00+08:00")
    homes.register.change_identity(identity, taper_until="2023-12-31")
    delivered(homes, identity, "2024-08-30T09:00+08:00")
    assert tell("2024-08-31") == Counted(0, 0, 0)


def test_a_move_that_becomes_known_late_is_told_all_the_same(homes: Households) -> None:
    own = homes.member("甲")
    homes.register.identity("甲", LOW, "2023-01-01")
    homes.moves("甲", "2024-01-31")
    homes.execute(
        "INSERT INTO vital_event (id, person_id, area, event, on_day, insurance, detail, file_id,"
        " revision) VALUES (1, :own, 0, 'moved_away', '2024-01-31', 0, '', 1, 1)",
        own=own,
    )
    assert tell("2024-08-31") == Counted(0, 0, 0)
    delivered(homes, 1, "2024-08-30T09:00+08:00", "vital_event")
    assert tell("2024-08-31") == Counted(1, 1, 0)


@pytest.mark.parametrize("undone", ["infinity", "2024-03-31"])
def test_a_move_that_is_undone_or_corrected_takes_its_task_back(
    homes: Households, undone: str
) -> None:
    homes.member("甲")
    homes.register.identity("甲", LOW, "2023-01-01")
    homes.moves("甲", "2024-04-30")
    assert tell("2024-05-10") == Counted(1, 1, 0)
    assert tell("2024-05-11") == Counted(0, 0, 0)
    homes.execute("UPDATE person SET left_on = CAST(:day AS date)", day=undone)
    again = 0 if undone == "infinity" else 1
    assert tell("2024-05-12") == Counted(again, again, 1)
    homes.moves("甲", "2024-04-30")
    assert tell("2024-05-13") == Counted(0, 1, again)


def test_a_move_is_no_exit_any_more_when_the_identity_was_taken_back(homes: Households) -> None:
    homes.member("甲")
    identity = homes.register.identity("甲", LOW, "2023-01-01")
    homes.moves("甲", "2024-04-30")
    tell("2024-05-10")
    homes.execute("DELETE FROM identity WHERE id = :id", id=identity)
    assert tell("2024-05-11") == Counted(0, 0, 1)


def test_an_end_that_was_corrected_takes_its_task_back_and_the_new_end_is_told(
    homes: Households,
) -> None:
    homes.member("甲")
    identity = homes.register.identity("甲", LOW, "2023-01-01", "2024-04-30")
    tell("2024-05-01")
    homes.register.end_identity(identity, "infinity")
    assert tell("2024-05-02") == Counted(0, 0, 1)
    homes.register.end_identity(identity, "2024-06-30")
    assert tell("2024-07-01") == Counted(1, 1, 0)
    homes.register.end_identity(identity, "2024-04-30")
    assert tell("2024-07-02") == Counted(0, 1, 1)


def test_a_death_takes_the_task_back(homes: Households) -> None:
    homes.member("甲")
    homes.register.identity("甲", LOW, "2023-01-01", "2024-04-30")
    tell("2024-05-01")
    homes.dies("甲", "2024-05-01")
    assert tell("2024-05-02").superseded == 1


@pytest.mark.parametrize(
    ("day", "asked"), [("2024-01-15", 0), ("2024-01-16", 1), ("2024-02-15", 1), ("2024-02-16", 0)]
)
def test_a_yearly_recognition_is_renewed_in_its_last_thirty_days(
    homes: Households, book: PolicyBook, day: str, asked: int
) -> None:
    homes.member("甲", area=TINGHU)
    homes.register.identity("甲", ILL, "2023-02-16", "2024-02-15")
    assert renew(book, day).tasks == asked


def test_only_where_the_policy_recognises_yearly(homes: Households, book: PolicyBook) -> None:
    for name, area, category in (
        ("甲", 320281101001, ILL),
        ("乙", TINGHU, LOW),
        ("丙", TINGHU, ILL),
        ("丁", TINGHU, ILL),
    ):
        homes.member(name, area=area)
        end = "infinity" if name == "丁" else "2024-02-15"
        homes.register.identity(name, category, "2023-02-16", end)
    assert renew(book, "2024-02-01") == Counted(0, 1, 0)
    assert homes.rows("SELECT person_id, due_on, reason FROM work_item") == [
        (
            homes.register.ids["丙"],
            date(2024, 2, 15),
            "身份一年一认定，2024-02-15 到期：请联系本人续办认定。",
        )
    ]


def test_a_renewed_recognition_ends_the_task(homes: Households, book: PolicyBook) -> None:
    homes.member("甲", area=TINGHU)
    homes.register.identity("甲", ILL, "2023-02-16", "2024-02-15")
    renew(book, "2024-02-01")
    homes.register.identity("甲", ILL, "2024-02-16", "2025-02-15")
    assert renew(book, "2024-02-02") == Counted(0, 0, 1)


def test_a_province_may_take_longer_than_a_page(homes: Households) -> None:
    with transaction() as session:
        assert session.execute(text("SHOW statement_timeout")).scalar() != "0"
        tell_exits(session, date(2024, 5, 1))
        assert session.execute(text("SHOW statement_timeout")).scalar() == "0"
