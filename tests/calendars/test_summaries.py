from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import Engine, text

from backend.calendars.carrying_out import Errand, carry_out
from backend.calendars.duties import Duty, DutyKind
from backend.calendars.summaries import InstitutionSum, summary_rows
from backend.citizens.codes import Codes
from backend.kernel.database import transaction
from backend.matching.editions import Edition, current_edition
from backend.matching.ledger import EntryKind
from backend.matching.release import release_run
from backend.matching.runs import StartRun, compute_part, finish_run, start_run
from backend.matching.tables import GRANT_ENTRY
from backend.policies.confirmation import PolicyConfirmation
from tests.support.claims import claim
from tests.support.households import Households

TINGHU = 320902001001
LAYER = "special_assistance"


@pytest.fixture
def edition(homes: Households) -> Edition:
    """Tinghu's days as confirmed; a hospital that a file brought."""
    with homes.session() as session, session.begin():
        session.add(
            PolicyConfirmation(
                policy_id="tinghu-trial",
                in_force_from=date(2022, 3, 1),
                in_force_to=date(2024, 2, 29),
                confirmed_by="测试",
            )
        )
    homes.execute(
        "INSERT INTO hospital (id, code, name, tier, area, designated, registered, file_id, revision)"
        " VALUES (1, 'H1', '亭湖某卫生院', 1, 320902001000, true, true, 1, 1),"
        " (2, 'H2', '', 0, 0, true, false, 1, 1)"
    )
    with transaction() as session:
        return current_edition(session)


def resident(homes: Households, name: str) -> None:
    homes.member(name, area=TINGHU)
    homes.register.identity(name, "extreme_poverty", "2022-01-01")


def applied_for(homes: Households, owner: Engine, bill: int) -> None:
    """Special assistance is paid on bills that a granted application names."""
    with homes.session() as session, session.begin():
        Codes.numbers(session, "layer", [LAYER])
    claim(owner, [bill])


def make(edition: Edition, kind: DutyKind, through: str) -> int | None:
    duty = Duty(kind, "tinghu-trial", LAYER, "320902", date.fromisoformat(through))
    with transaction() as session:
        return carry_out(session, Errand(duty, "320902", date.fromisoformat(through)), edition)


def rows(period: str) -> list[tuple[str, int, int, int]]:
    with transaction() as session:
        found = summary_rows(session, "320902", period)
    assert found is not None
    return [(one.code, one.bills, one.advanced, one.granted) for one in found]


def match(*, release: bool = True) -> None:
    with transaction() as session:
        begun = start_run(session, StartRun("320902", 2023, date(2023, 12, 31), "测试"))
    for number in begun.parts:
        with transaction() as session:
            compute_part(session, begun.run_id, number)
    with transaction() as session:
        finish_run(session, begun.run_id)
    for by in ("甲", "乙") if release else ():
        with transaction() as session:
            release_run(session, begun.run_id, by, date(2024, 1, 2))


def advance(homes: Households, number: str, day: str, yuan: str, hospital: int = 1) -> None:
    """A bill on which the institution paid special assistance at once."""
    own = homes.register.bill("甲", number, day, "9000.00", paid={LAYER: yuan})
    homes.execute("UPDATE bill SET hospital_id = :to WHERE id = :id", to=hospital, id=own)


def test_each_institution_is_summed_up_by_month(homes: Households, edition: Edition) -> None:
    resident(homes, "甲")
    advance(homes, "B1", "2023-04-30", "100.00")
    advance(homes, "B2", "2023-05-01", "20.00")
    advance(homes, "B3", "2023-05-31", "3.00", hospital=2)
    assert make(edition, "month", "2023-04-30") == 1
    assert make(edition, "month", "2023-05-31") == 2
    assert rows("2023-04") == [("H1", 1, 10_000, 0)]
    assert rows("2023-05") == [("H1", 1, 2_000, 0), ("H2", 1, 300, 0)]
    with transaction() as session:
        found = summary_rows(session, "320902", "2023-04")
        assert summary_rows(session, "320902", "2023-06") is None
    assert found == [InstitutionSum(LAYER, "H1", "亭湖某卫生院", 1, 10_000, 0)]


def test_a_correction_of_an_earlier_month_comes_in_as_a_difference_once(
    homes: Households, edition: Edition
) -> None:
    resident(homes, "甲")
    advance(homes, "B1", "2023-04-30", "100.00")
    make(edition, "month", "2023-04-30")
    advance(homes, "B1", "2023-04-30", "70.00")
    advance(homes, "B0", "2023-03-30", "5.00")
    make(edition, "month", "2023-05-31")
    make(edition, "month", "2023-06-30")
    assert rows("2023-05") == [("H1", 1, -2_500, 0)]
    assert rows("2023-06") == []


def test_a_summary_is_made_once_and_none_before_a_later_one(
    homes: Households, edition: Edition
) -> None:
    resident(homes, "甲")
    advance(homes, "B1", "2023-04-30", "100.00")
    assert make(edition, "month", "2023-05-31") == 1
    assert make(edition, "month", "2023-05-31") is None
    assert make(edition, "month", "2023-04-30") is None


def test_what_was_granted_counts_once_released_and_until_it_is_paid_there(
    homes: Households, database: Engine, edition: Edition
) -> None:
    resident(homes, "甲")
    applied_for(homes, database, homes.register.bill("甲", "B1", "2023-04-30", "9000.00"))
    match(release=False)
    assert make(edition, "month", "2023-04-30") == 0
    homes.execute(
        "UPDATE match_run SET state = 'released', first_release_by = '甲', released_by = '乙'"
    )
    assert make(edition, "month", "2023-05-31") == 1
    assert rows("2023-05") == [("H1", 1, 0, 300_000)]
    advance(homes, "B1", "2023-04-30", "3000.00")
    match()
    make(edition, "month", "2023-06-30")
    assert rows("2023-06") == [("H1", 0, 300_000, -300_000)]


def test_what_another_policy_has_granted_since_is_not_summed_up(
    homes: Households, database: Engine, edition: Edition
) -> None:
    resident(homes, "甲")
    applied_for(homes, database, homes.register.bill("甲", "B1", "2023-04-30", "9000.00"))
    match()
    regrant(homes, "another-policy")
    assert make(edition, "month", "2023-04-30") == 0
    regrant(homes, "tinghu-trial")
    assert make(edition, "month", "2023-05-31") == 1
    assert rows("2023-05") == [("H1", 1, 0, 300_000)]


def regrant(homes: Households, policy: str) -> None:
    """Each bill's amount restated, as decided by another policy."""
    with homes.session() as session, session.begin():
        changed = {
            "seq": "seq + 1",
            "kind": str(int(EntryKind.RESTATED)),
            "amount": "0",
            "policy": str(Codes.numbers(session, "policy", [policy])[policy]),
        }
        names = [column.name for column in GRANT_ENTRY.columns]
        kept = [changed.get(column, column) for column in names]
        session.execute(
            text(
                f"INSERT INTO grant_entry ({', '.join(names)})"
                f" SELECT DISTINCT ON (bill_id) {', '.join(kept)} FROM grant_entry"
                " ORDER BY bill_id, grant_entry.seq DESC"
            )
        )


def test_a_large_area_may_take_longer_than_a_page(homes: Households, edition: Edition) -> None:
    duty = Duty("month", "tinghu-trial", LAYER, "320902", date(2023, 4, 30))
    with transaction() as session:
        carry_out(session, Errand(duty, "320902", date(2023, 5, 1)), edition)
        assert session.execute(text("SHOW statement_timeout")).scalar() == "0"


def test_the_settlement_holds_what_the_months_hold(homes: Households, edition: Edition) -> None:
    resident(homes, "甲")
    advance(homes, "B1", "2022-12-11", "1.00")
    advance(homes, "B2", "2023-12-10", "20.00")
    advance(homes, "B3", "2023-12-11", "300.00")
    make(edition, "year", "2022-12-10")
    make(edition, "month", "2023-12-31")
    make(edition, "year", "2023-12-10")
    assert rows("2022") == []
    assert rows("2023") == [("H1", 2, 2_100, 0)]
    assert rows("2023-12") == [("H1", 3, 32_100, 0)]
