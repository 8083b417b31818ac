"""Money from the application to its end: granted, paid, closed; and asked back where it is revoked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import Engine

from backend.kernel.clock import today
from backend.payments.batches import make_batch
from tests.support.accounts import Accounts
from tests.support.case_http import BOOK, Applying, Office, county
from tests.support.case_money import WHO, Money

TINGHU: Final = BOOK.procedure("tinghu-trial", "special_assistance")
YUEQING: Final = BOOK.procedure("yueqing-2022-41", "high_cost_relief")
RELIEF: Final = BOOK.procedure("wuxi-2022-98", "temporary_relief")
DAY: Final = today().isoformat()


@pytest.fixture
def money(
    request: pytest.FixtureRequest, database: Engine, app_database: Engine, accounts: Accounts,
    tmp_path: Path,
) -> Iterator[Money]:  # fmt: skip
    place = county(database, app_database, tmp_path, accounts, request.param)
    made = Money(place, tmp_path)
    made.works.account(made.person)
    yield made
    made.works.worker.dispose()


def in_tinghu(money: Money) -> Applying:
    """甲 of class I with a bill of 9,000 yuan, granted after its public notice."""
    register = money.county.town.register
    register.identity(WHO, "extreme_poverty", "2022-01-01")
    bill = register.bill(WHO, "B1", "2026-04-30", "9000.00")
    applying = money.applied(TINGHU, bill)
    assert applying.state() == "noticed"
    money.notice_over()
    assert applying.state() == "granted"
    return applying


@pytest.mark.parametrize("money", ["320902"], indirect=True)
def test_special_assistance_is_paid_after_its_notice_and_the_case_closed(money: Money) -> None:
    applying = in_tinghu(money)
    money.released()
    assert money.works.granted() == [("B1", 300_000)]  # (9,000 - 3,000) at 50%
    money.mornings()
    assert applying.state() == "granted"  # nothing has been paid
    assert money.paid() == 300_000
    money.mornings()
    assert applying.state() == "closed"
    granted = money.county.get(WHO, f"/applications/{applying.case}")["granted"]
    assert (granted["amount"], granted["paid"]) == ("3000.00", "3000.00")
    assert money.states(applying.case)[-3:] == ["confirm", "pay", "close"]
    assert {"application_granted", "grant", "application_paid"} <= set(money.told())


@pytest.mark.parametrize("money", ["320902"], indirect=True)
def test_what_was_paid_is_asked_back_when_the_grant_is_revoked(money: Money) -> None:
    applying = in_tinghu(money)
    money.released()
    assert money.paid() == 300_000
    money.mornings()
    money.revoked(applying.case)
    assert applying.state() == "revoked"
    money.released()
    assert money.works.granted() == []
    assert money.works.ask("SELECT kind, amount FROM grant_entry ORDER BY seq") == [
        (1, 300_000), (3, -300_000),
    ]  # fmt: skip
    with money.works.working() as session:
        assert make_batch(session, "320902", "经办", today()).serial is None
    assert money.items() == [("paid", 300_000), ("refund_due", -300_000)]
    assert ("refund_due",) in money.works.ask("SELECT kind FROM work_item WHERE state = 'open'")


@pytest.mark.parametrize("money", ["330382"], indirect=True)
def test_high_cost_relief_is_paid_and_the_case_closed(money: Money) -> None:
    register = money.county.town.register
    register.identity(WHO, "subsistence_allowance", "2022-01-01")
    paid = {"basic": "200000.00", "serious_illness": "10000.00", "medical_assistance": "10000.00"}
    flags = ("designated", "followed_guidance", "referred")
    bill = register.bill(WHO, "B1", "2025-09-03", "300000.00", flags=flags, paid=paid)
    applying = money.applied(YUEQING, bill)
    assert applying.state() == "granted"
    money.released()
    # 80,000 yuan of burden, of which 50,000 stay
    assert money.works.granted("high_cost_relief") == [("B1", 3_000_000)]
    assert money.paid() == 3_000_000
    money.mornings()
    assert applying.state() == "closed"
    assert money.states(applying.case)[-2:] == ["pay", "close"]


@pytest.mark.parametrize("money", ["320281"], indirect=True)
def test_temporary_relief_is_granted_paid_by_civil_affairs_and_closed(money: Money) -> None:
    place = money.county
    applying = Applying(place, WHO, RELIEF)
    applying.apply()
    office, amount = Office(place, applying.case), f"/cases/{applying.case}/amount"
    paid = {"paid_on": DAY, "paid_ref": "民政凭证1号"}
    place.call("县甲", "PUT", amount, 409, json={"amount": "1500.00"})
    office.step("镇甲", "accept")
    office.step("镇甲", "review")
    place.post("县甲", f"{amount}/payment", 409, **paid)
    place.call("镇甲", "PUT", amount, 403, json={"amount": "1500.00"})
    refused = office.step("县乙", "approve", expect=409)
    assert "请先定金额" in str(refused)
    for wanted in ("1600.00", "1500.00"):
        place.call("县甲", "PUT", amount, json={"amount": wanted})
    office.step("县乙", "approve")
    place.work()
    assert applying.state() == "granted"
    granted = place.get(WHO, f"/applications/{applying.case}")["granted"]
    told = {"amount": "1500.00", "decided_on": DAY, "paid": None, "paid_on": None, "paid_ref": ""}
    assert granted == told
    for _ in range(2):
        assert place.post("县丙", f"{amount}/payment", **paid)["paid_on"] == DAY
    place.call("县甲", "PUT", amount, 409, json={"amount": "1.00"})
    place.work()
    assert applying.state() == "paid"
    money.mornings(1)
    assert applying.state() == "closed"
    granted = place.get(WHO, f"/applications/{applying.case}")["granted"]
    assert granted == {**told, "paid": "1500.00", "paid_on": DAY, "paid_ref": "民政凭证1号"}
    assert {"application_granted", "application_paid"} <= set(money.told())


@pytest.mark.parametrize("money", ["320281"], indirect=True)
def test_what_a_charity_reports_takes_the_case_off_the_list_of_those_handed_on(
    money: Money,
) -> None:
    place, charity = money.county, BOOK.procedure("wuxi-2022-98", "charity")
    place.post(WHO, "/me/consents", 201, purpose=charity.consent, version=1, agrees=True)
    applying = money.applied(charity)
    place.work()
    listed = place.get("县甲", "/handed-on")
    assert [one["case_id"] for one in listed["cases"]] == [applying.case]
    assert WHO not in str(listed)
    path = f"/handed-on/{applying.case}/result"
    place.post("镇甲", path, 403, result="helped")
    for _ in range(2):
        place.post("县甲", path, 204, result="helped")
    wrong = place.post("县乙", path, 409, result="not_wanted")
    assert wrong["type"].endswith("application-not-handed-on")
    place.work()
    assert place.get("县甲", "/handed-on")["cases"] == []
    assert money.works.ask("SELECT state FROM work_item WHERE kind = 'hand_on'") == [("done",)]
