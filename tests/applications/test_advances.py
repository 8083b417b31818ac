"""A hospital's advance: what was assigned is what the letter says, and nothing stands unsigned."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from backend.accounts.scope import act_as
from backend.applications.applying import withdraw
from backend.applications.steps import Circumstances
from backend.kernel.clock import today
from backend.kernel.database import acting
from backend.payments.hospital_accounts import HospitalAccount, register_account
from tests.support.accounts import Accounts
from tests.support.case_http import BOOK, Applying, County, Office, as_though_read, county
from tests.support.case_http import handwritten as by_hand
from tests.support.case_money import WHO, Money
from tests.support.ledger import card

TINGHU: Final = BOOK.procedure("tinghu-trial", "special_assistance")
AREA: Final = "320902"


@pytest.fixture
def money(
    database: Engine, app_database: Engine, accounts: Accounts, tmp_path: Path
) -> Iterator[Money]:
    made = Money(county(database, app_database, tmp_path, accounts, AREA), tmp_path)
    accounts.change(
        "INSERT INTO hospital (id, code, name, tier, area, designated, registered, file_id,"
        " revision) VALUES (1, 'H1', '亭湖测试医院', 2, 320902000000, true, true, 1, 1)"
    )
    yield made
    made.works.worker.dispose()


@pytest.fixture
def place(money: Money) -> County:
    return money.county


def applied(place: County) -> tuple[Applying, int]:
    """甲 of class I has applied for a bill that brings 3,000 yuan; the bill."""
    register = place.town.register
    register.identity(WHO, "extreme_poverty", "2022-01-01")
    bill = register.bill(WHO, "B1", "2026-04-30", "9000.00")
    applying = Applying(place, WHO, TINGHU, bills=str(bill))
    applying.apply()
    return applying, bill


def letter(place: County, applying: Applying, bill: int, cap: str = "2500.00") -> dict[str, Any]:
    """A letter of assignment, to be signed."""
    path = f"/applications/{applying.case}/advance-letter"
    made: dict[str, Any] = place.post(WHO, path, 201, bill=bill, cap=cap)
    return made


def signed(place: County, made: dict[str, Any]) -> None:
    """Read, signed by hand, sealed."""
    path = f"/letters/{made['id']}"
    for step in ("opened", "end"):
        place.post(WHO, f"{path}/opened", step=step)
    as_though_read(place.owner, made["id"])
    shown = {"shown_sha256": made["sha256"], "nonce": made["nonce"]}
    place.post(WHO, f"{path}/signature", **by_hand(), **shown)
    place.work()


def recorded(place: County, case: int, expect: int = 200, **more: Any) -> Any:
    body = {"cap": "2500.00", "amount": "2000.00"} | more
    return place.post("县甲", f"/cases/{case}/advance", expect, **body)


def test_the_letter_says_whom_what_and_how_much(place: County) -> None:
    applying, bill = applied(place)
    made = letter(place, applying, bill)
    said = str(made)
    for words in ("权益转让书", "亭湖测试医院", "2500.00 元", "2026年04月30日出院的这一次"):
        assert words in said
    assert letter(place, applying, bill)["id"] == made["id"]
    assert letter(place, applying, bill, "2600.00")["id"] != made["id"]
    seen = place.get(WHO, f"/applications/{applying.case}")["advance"]
    assert (seen["cap"], seen["advanced"], seen["hospital"]) == ("2600.00", None, "亭湖测试医院")


def test_an_advance_is_recorded_once_and_only_with_its_sealed_letter(place: County) -> None:
    applying, bill = applied(place)
    made = letter(place, applying, bill)
    refused = recorded(place, applying.case, 409)
    assert "还没有签好" in refused["errors"][0]["detail"]
    signed(place, made)
    recorded(place, applying.case, 409, cap="2600.00")
    recorded(place, applying.case, 409, amount="2500.01")
    place.post("镇甲", f"/cases/{applying.case}/advance", 403, cap="2500.00", amount="1.00")
    for _ in range(2):
        assert recorded(place, applying.case)["advanced"] == "2000.00"
    recorded(place, applying.case, 409, amount="2100.00")
    path = f"/applications/{applying.case}/advance-letter"
    place.post(WHO, path, 409, bill=bill, cap="100.00")


def test_an_advance_is_noted_by_whose_session_it_is(place: County) -> None:
    """Whatever a statement of the site's says; the control: without the trigger it is believed."""
    applying, bill = applied(place)
    signed(place, letter(place, applying, bill))
    forged = text(
        "UPDATE claim_assignment SET advanced = 1, noted_by = 'staff:县乙', noted_on = DATE '2026-11-23'"
        " RETURNING noted_by"
    )
    with Session(place.site) as session:
        acting(session, place.tokens["县甲"])
        assert session.execute(forged).scalars().all() == ["staff:县甲"]
    with place.owner.begin() as connection:
        connection.execute(text("DROP TRIGGER advance_by_session ON claim_assignment"))
    with Session(place.site) as session:
        acting(session, place.tokens["县甲"])
        assert session.execute(forged).scalars().all() == ["staff:县乙"]


def test_who_is_part_of_the_case_records_no_advance(place: County) -> None:
    applying, bill = applied(place)
    signed(place, letter(place, applying, bill))
    place.post("县甲", f"/cases/{applying.case}/recusal", 204)
    refused = recorded(place, applying.case, 403)
    assert "另一个人" in refused["errors"][0]["detail"]
    assert place.get(WHO, f"/applications/{applying.case}")["advance"]["advanced"] is None


def test_what_a_hospital_advanced_is_not_taken_back_by_the_applicant(place: County) -> None:
    """Neither the application nor the bill, until the county decides; another bill may be added."""
    applying, bill = applied(place)
    other = place.town.register.bill(WHO, "B2", "2026-05-30", "9000.00")
    signed(place, letter(place, applying, bill))
    recorded(place, applying.case)
    own = f"/applications/{applying.case}"
    refused = place.post(WHO, f"{own}/withdrawal", 409)
    assert "已经垫付" in refused["errors"][0]["detail"]
    Office(place, applying.case).step("镇甲", "ask")
    for chosen, version, status in ((str(other), 1, 422), (f"{bill},{other}", 2, 200)):
        place.call(WHO, "PUT", f"{own}/answers/bills", json={"value": chosen, "version": version})
        applying.sign()
        answered = place.post(WHO, f"{own}/supplement", status)
        assert status == 200 or "垫付" in answered["errors"][0]["detail"]
    with place.owner.connect() as connection:
        claimed = connection.execute(text("SELECT array_agg(bill_id ORDER BY 1) FROM bill_claim"))
        assert claimed.scalar_one() == sorted([bill, other])
    with pytest.raises(DBAPIError, match="an advance stands"), place.owner.begin() as connection:
        connection.execute(text("DELETE FROM bill_claim WHERE bill_id = :bill"), {"bill": bill})


def test_an_advance_recorded_while_the_applicant_withdraws_is_refused_or_comes_before(
    place: County,
) -> None:
    """The withdrawal is under way, and not yet committed, when the county records."""
    applying, bill = applied(place)
    signed(place, letter(place, applying, bill))
    with ThreadPoolExecutor(1) as pool, Session(place.site) as session:
        actor = act_as(session, place.tokens[WHO])
        assert actor is not None
        given = Circumstances(actor, place.town.keyring, TINGHU, today())
        withdraw(session, applying.case, given)
        recording = pool.submit(recorded, place, applying.case, 409)
        with pytest.raises(TimeoutError):
            recording.result(0.5)
        session.commit()
        refused = recording.result(20)
    assert "不能登记垫付" in refused["errors"][0]["detail"]
    assert applying.state() == "withdrawn"


def test_what_is_not_in_the_case_or_where_the_policy_has_none_is_not_assigned(
    place: County,
) -> None:
    applying, _ = applied(place)
    other = place.town.register.bill(WHO, "B2", "2026-05-30", "9000.00")
    path = f"/applications/{applying.case}/advance-letter"
    place.post(WHO, path, 409, bill=other, cap="100.00")
    relief = Applying(place, WHO, BOOK.procedure("tinghu-trial", "temporary_relief"))
    relief.apply()
    place.post(WHO, f"/applications/{relief.case}/advance-letter", 409, bill=other, cap="100.00")


def test_the_database_takes_nothing_but_what_the_letter_says(place: County) -> None:
    applying, bill = applied(place)
    signed(place, letter(place, applying, bill))
    recorded(place, applying.case)
    for wrong in (
        "UPDATE claim_assignment SET advanced = 1",
        "UPDATE claim_assignment SET cap = cap + 1",
        "UPDATE claim_assignment SET paid = advanced + 1",
    ):
        with pytest.raises(DBAPIError), place.owner.begin() as connection:
            connection.execute(text(wrong))


def test_the_database_refuses_other_terms_than_those_of_the_letter(place: County) -> None:
    applying, bill = applied(place)
    letter(place, applying, bill)
    with pytest.raises(DBAPIError), place.owner.begin() as connection:
        connection.execute(text("UPDATE claim_assignment SET cap = cap + 1"))


def test_the_hospital_is_paid_what_it_advanced_and_the_person_the_rest(
    place: County, money: Money
) -> None:
    money.works.account(money.person)
    with money.works.working() as session:
        given = HospitalAccount("H1", "亭湖测试医院", card(99), "农业银行")
        register_account(session, given, "经办")
    applying, bill = applied(place)
    signed(place, letter(place, applying, bill))
    recorded(place, applying.case)
    office = Office(place, applying.case)
    office.step("镇甲", "accept")
    office.step("镇甲", "review")
    office.step("县甲", "approve")
    money.notice_over()
    money.released()
    assert money.paid() == 300_000
    assert money.works.ask(
        "SELECT hospital_id, amount, state FROM payment_item ORDER BY amount"
    ) == [(None, 100_000, "paid"), (1, 200_000, "paid")]
    money.mornings()
    assert applying.state() == "closed"
    seen = place.get(WHO, f"/applications/{applying.case}")["advance"]
    assert (seen["advanced"], seen["paid"]) == ("2000.00", "2000.00")
    assert "paid_to_hospital" in money.told()
    assert "application_paid" not in money.told()
    money.revoked(applying.case)
    money.released()
    assert money.works.granted() == []


def test_while_the_hospital_s_part_is_open_the_case_is_not_paid(
    place: County, money: Money
) -> None:
    money.works.account(money.person)
    applying, bill = applied(place)
    signed(place, letter(place, applying, bill))
    recorded(place, applying.case)
    office = Office(place, applying.case)
    for who, deed in (("镇甲", "accept"), ("镇甲", "review"), ("县甲", "approve")):
        office.step(who, deed)
    money.notice_over()
    money.released()
    assert money.paid() == 100_000  # the hospital has no account
    money.mornings()
    assert applying.state() == "granted"
