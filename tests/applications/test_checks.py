"""What the system says of a case before a person looks: each check in each of its results."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from sqlalchemy import Engine, event, text

from backend.applications.cases import UnknownCase, case_of
from backend.applications.check_results import CHECKS, Check
from backend.applications.checks import checks_of, checks_of_many
from backend.applications.deciding import Decision, Office, decide
from backend.applications.steps import Step
from backend.kernel.crypto import Keyring, Place
from backend.policies.book import PolicyBook
from backend.policies.catalogue import load_catalogue
from tests.support.case_world import TODAY, CaseWorld
from tests.support.checked_cases import many_cases
from tests.support.households import Households
from tests.support.raw_cases import force_state, raw_case, raw_step, whose
from tests.support.register import YUEQING, ZHANGJIAGANG, Register

ANSWERS = {
    "recognition": {
        "category": "subsistence_marginal", "household_size": "2", "income": "12000.00",
        "medical_spending": "30000.00", "assets": "no", "diagnosis": "肺癌", "phone": "1",
    },
    "high_cost_relief": {"household_size": "2", "income": "12000.00", "phone": "1"},
    "chronic_certification": {"diagnosis": "高血压", "phone": "1"},
    "correction": {"what": "home", "should_be": "测试", "phone": "1"},
}  # fmt: skip
_ANSWER = text(
    "INSERT INTO application_answer (id, application_id, field, value, source, by)"
    " VALUES (:id, :case, :field, :value, 'applicant', 'test')"
)
_CLAIM = text(
    "INSERT INTO bill_claim (application_id, bill_id, layer, person_id)"
    " VALUES (:case, :bill, :layer, :person)"
)
OF_CASES = (
    "checked_facts(ARRAY[:case], :day)",
    "checked_cases(ARRAY[:case])",
    "checked_identities(ARRAY[:case])",
    "checked_bills(ARRAY[:case], ARRAY[:bill], ARRAY['high_cost_relief'])",
)
"""Every function that tells a desk what it does not see itself."""
_ABOUT_BILL = text(f"SELECT * FROM {OF_CASES[-1]}")
FAR = (YUEQING, ZHANGJIAGANG)


@pytest.fixture(scope="module")
def book() -> PolicyBook:
    return load_catalogue()


@dataclass
class Desk:
    """Cases put raw at the desks of one county, and their checks."""

    world: CaseWorld
    register: Register
    homes: Households
    book: PolicyBook
    cases: list[int] = field(default_factory=list)

    def case(
        self, name: str, kind: str = "recognition", policy: str = "wuxi-2022-98", **more: Any
    ) -> int:
        """A case of the person, submitted; `more`: other answers, None: left out."""
        person = self.world.people[name].id
        with self.world.owner.begin() as connection:
            case = raw_case(connection, whose(self.world.owner, person), kind)
            said = {**ANSWERS[kind], **more}
            key = connection.execute(
                text("SELECT data_key FROM person WHERE id = :id"), {"id": person}
            ).scalar_one()
            cipher = self.world.keyring.person(person, bytes(key))
            for code, value in said.items():
                if value is None:
                    continue
                own = connection.execute(text("SELECT nextval('row_id')")).scalar_one()
                sealed = cipher.seal(Place("application_answer", "value", own), value)
                given = {"id": own, "case": case, "field": code, "value": sealed}
                connection.execute(_ANSWER, given)
            connection.execute(
                text("UPDATE application SET policy = :policy, category = :asked WHERE id = :id"),
                {"policy": policy, "asked": said.get("category", ""), "id": case},
            )
            resident = whose(self.world.owner, person).resident
            raw_step(connection, case, ("submit", "draft", "submitted"), resident=resident)
        self.cases.append(case)
        return case

    def checks(self, case: int, who: str = "镇甲") -> Mapping[str, Check]:
        """The checks of a case by code, as somebody at the desk sees them."""
        with self.world.acting(who) as (session, actor):
            office = Office(actor, self.world.keyring, self.book, TODAY)
            return {one.code: one for one in checks_of(session, office, case)}

    def result(self, case: int, code: str, who: str = "镇甲") -> str:
        """How one check stands."""
        return self.checks(case, who)[code].result


@pytest.fixture
def desk(world: CaseWorld, register: Register, keyring: Keyring, book: PolicyBook) -> Desk:
    for name in ("查甲", "查乙"):
        register.ids[name] = world.resident(name).id
    return Desk(world, register, Households(register, keyring), book)


def home(desk: Desk, name: str, *others: str, **more: Any) -> None:
    """The person with others in one household."""
    own = desk.homes.family(f"{name}家", *others, **more)
    desk.register.change_person(name, household_id=own)


def test_a_person_as_the_register_has_them_agrees(desk: Desk) -> None:
    found = desk.checks(desk.case("查甲"))
    assert {found[code].result for code in ("alive", "registered_here", "insured_here")} == {
        "agrees"
    }
    assert set(found) <= set(CHECKS)
    assert list(found) == [code for code in CHECKS if code in found]


@pytest.mark.parametrize(
    ("changed", "code", "result"),
    [
        ({"died_on": "2026-11-01"}, "alive", "differs"),
        ({"left_on": "2026-11-01"}, "alive", "attention"),
        ({"known": False}, "alive", "unknown"),
        ({"insurance": 3}, "insured_here", "differs"),
        ({"insurance": 4}, "insured_here", "differs"),
        ({"insurance": 2}, "insured_here", "agrees"),
        ({"insurance": 0}, "insured_here", "unknown"),
    ],
)
def test_the_register_speaks_against_it(
    desk: Desk, changed: dict[str, Any], code: str, result: str
) -> None:
    case = desk.case("查甲")
    desk.register.change_person("查甲", **changed)
    assert desk.result(case, code) == result


def test_who_moved_to_another_county_since_is_registered_elsewhere(desk: Desk) -> None:
    case = desk.case("查甲")
    desk.register.change_person("查甲", area=ZHANGJIAGANG, lives_in=ZHANGJIAGANG)
    found = desk.checks(case)["registered_here"]
    assert (found.result, "张家港" in found.found) == ("differs", True)


@pytest.mark.parametrize(
    ("said", "members", "result"),
    [("2", 1, "agrees"), ("3", 1, "differs"), ("2", None, "unknown")],
)
def test_the_household_stands_beside_what_was_said(
    desk: Desk, said: str, members: int | None, result: str
) -> None:
    if members is not None:
        # Somebody of the household lives where the desk sees nothing.
        home(desk, "查甲", *(f"亲{number}" for number in range(members)), area=YUEQING)
    found = desk.checks(desk.case("查甲", household_size=said))["household_size"]
    assert (found.result, found.promised) == (result, f"{said} 人")


@pytest.mark.parametrize(
    ("said", "known", "result"),
    [
        ("12000.00", "12000.00", "agrees"),
        ("11000.00", "12000.00", "agrees"),
        ("10799.99", "12000.00", "differs"),
        ("12000.00", None, "unknown"),
    ],
)
def test_the_income_stands_beside_what_was_promised(
    desk: Desk, said: str, known: str | None, result: str
) -> None:
    incomes = {} if known is None else {2024: "99999.00", 2025: known, 2027: "1.00"}
    home(desk, "查甲", incomes=incomes)
    found = desk.checks(desk.case("查甲", income=said))["income"]
    assert (found.result, found.promised) == (result, f"{said} 元")
    assert found.found == ("" if known is None else f"{known} 元")


def test_what_was_spent_is_what_the_bills_left_in_twelve_months(desk: Desk) -> None:
    paid = {"basic": "5000.00", "commercial": "1000.00"}
    desk.register.bill("查甲", "B-1", "2026-03-01", "20000.00", paid=paid)
    desk.register.bill("查甲", "B-2", "2025-12-01", "16000.00")
    desk.register.bill("查甲", "B-3", "2025-11-23", "70000.00")
    case = desk.case("查甲", medical_spending="30000.00")
    found = desk.checks(case)["medical_spending"]
    assert (found.result, found.found) == ("agrees", "30000.00 元")
    other = desk.checks(desk.case("查甲", medical_spending="50000.00"))["medical_spending"]
    assert (other.result, "相差 20000.00 元" in other.sentence) == ("differs", True)
    assert desk.result(desk.case("查乙"), "medical_spending") == "unknown"


@pytest.mark.parametrize(
    ("spent", "income", "result"),
    [("4800.01", "12000.00", "agrees"), ("4800.00", "12000.00", "attention"),
     ("4800.01", None, "unknown")],
)  # fmt: skip
def test_forty_percent_of_the_income_is_asked_of_the_whole_household(
    desk: Desk, spent: str, income: str | None, result: str
) -> None:
    home(desk, "查甲", "亲人", area=YUEQING, incomes={2025: income} if income else {})
    desk.register.bill("亲人", "B-9", "2026-02-01", spent)
    assert desk.result(desk.case("查甲"), "income_share") == result


def test_who_has_the_identity_already_need_not_be_recognised(desk: Desk) -> None:
    desk.register.identity("查甲", "subsistence_marginal", "2026-01-01")
    assert desk.result(desk.case("查甲"), "identities") == "attention"
    desk.register.identity("查乙", "subsistence_marginal", "2026-01-01", "2026-10-30")
    assert desk.result(desk.case("查乙"), "identities") == "agrees"
    assert (
        desk.checks(desk.case("查乙", category="temporary_relief_seriously_ill"))[
            "identities"
        ].found
        == "没有"
    )


def test_other_cases_of_the_person_and_the_household_are_told(desk: Desk) -> None:
    home(desk, "查甲")
    desk.register.change_person("查乙", household_id=desk.homes.ids["查甲家"])
    first = desk.case("查甲")
    assert desk.result(first, "other_cases") == "agrees"
    desk.case("查乙")
    found = desk.checks(first)["other_cases"]
    assert (found.result, found.found) == ("attention", "本人 0 件，家人 1 件")
    desk.case("查甲", "correction")
    assert desk.checks(first)["other_cases"].found == "本人 1 件，家人 1 件"
    with desk.world.owner.begin() as connection:
        for case in desk.cases[1:]:
            force_state(connection, case, "closed")
    assert desk.result(first, "other_cases") == "agrees"


def test_the_bills_of_a_claim_are_looked_at_one_by_one(desk: Desk) -> None:
    desk.register.identity("查甲", "subsistence_allowance", "2024-01-01", "2024-06-10")
    flags = ("designated", "referred", "followed_guidance")
    good = desk.register.bill(
        "查甲", "G", "2024-06-25", "90000.00", admitted="2024-06-20", flags=flags,
        setting="inpatient",
    )  # fmt: skip
    lost = desk.register.bill("查甲", "L", "2024-07-01", "9000.00", flags=flags)
    late = desk.register.bill("查甲", "T", "2026-01-01", "9000.00", flags=("referred",))
    given = desk.register.bill(
        "查甲", "P", "2024-02-01", "9000.00", flags=flags, paid={"high_cost_relief": "10.00"}
    )
    kind = ("high_cost_relief", "yueqing-2022-41")
    found = desk.checks(desk.case("查甲", *kind, bills=f"{good}"))
    bills = [code for code in found if code.startswith("bills_")]
    assert len(bills) == 6
    assert {found[code].result for code in bills} == {"agrees"}
    found = desk.checks(desk.case("查甲", *kind, bills=f"{good},{lost},{late},{given},999999"))
    assert {code: found[code].result for code in bills} == {
        "bills_known": "differs", "bills_in_force": "differs", "bills_identity": "differs",
        "bills_flags": "differs", "bills_given": "attention", "bills_elsewhere": "agrees",
    }  # fmt: skip
    assert (found["bills_known"].promised, found["bills_known"].found) == ("5 张", "4 张")
    assert found["bills_in_force"].found == "3 张"
    assert found["bills_identity"].found == "2 张"
    assert "2024-07-01、2026-01-01" in found["bills_identity"].sentence
    assert found["bills_given"].found == "1 张，10.00 元"


def test_a_bill_in_another_case_is_told(desk: Desk) -> None:
    bill = desk.register.bill("查甲", "B", "2024-06-25", "9000.00")
    kind = ("high_cost_relief", "yueqing-2022-41")
    first, second = (desk.case("查甲", *kind, bills=f"{bill}") for _ in range(2))
    assert desk.result(first, "bills_elsewhere") == "agrees"
    desk.world.town.accounts.change(
        "INSERT INTO bill_claim (application_id, bill_id, layer, person_id)"
        " SELECT id, :bill, 1, person_id FROM application WHERE id = :case",
        bill=bill, case=second,
    )  # fmt: skip
    assert desk.result(first, "bills_elsewhere") == "attention"
    assert desk.result(second, "bills_elsewhere") == "agrees"


def test_a_claim_of_the_same_bill_in_another_county_is_told(desk: Desk) -> None:
    bill = desk.register.bill("查甲", "B", "2024-06-25", "9000.00")
    case = desk.case("查甲", "high_cost_relief", "yueqing-2022-41", bills=f"{bill}")
    assert desk.result(case, "bills_elsewhere") == "agrees"
    who = whose(desk.world.owner, desk.world.people["查甲"].id)
    with desk.world.owner.begin() as connection:
        others = [raw_case(connection, replace(who, area=place)) for place in FAR]
        for layer, other in enumerate(others, start=1):
            values = {"case": other, "bill": bill, "layer": layer, "person": who.person}
            connection.execute(_CLAIM, values)
    with desk.world.acting("镇甲") as (session, _):
        hidden = text("SELECT count(*) FROM bill_claim WHERE bill_id = :bill")
        assert session.execute(hidden, {"bill": bill}).scalar_one() == 0
    assert desk.result(case, "bills_elsewhere") == "attention"
    with desk.world.acting("镇甲") as (session, _):
        told = session.execute(_ABOUT_BILL, {"case": case, "bill": bill}).one()
    assert told.elsewhere == len(FAR)
    desk.world.town.accounts.change("UPDATE bill_claim SET state = 'released'")
    assert desk.result(case, "bills_elsewhere") == "agrees"


def test_who_moved_away_keeps_what_the_case_rests_on(desk: Desk) -> None:
    desk.register.identity("查甲", "subsistence_allowance", "2024-01-01")
    flags = ("designated", "referred", "followed_guidance")
    bill = desk.register.bill("查甲", "B", "2024-06-25", "9000.00", flags=flags)
    case = desk.case("查甲", "high_cost_relief", "yueqing-2022-41", bills=f"{bill}")
    before = desk.checks(case)
    assert before["identities"].found != "没有"
    away = {"area": ZHANGJIAGANG, "lives_in": ZHANGJIAGANG}
    desk.register.change_person("查甲", **away)
    for table in ("identity", "bill"):
        desk.homes.execute(f"UPDATE {table} SET area = :area", area=ZHANGJIAGANG)
    with desk.world.acting("镇甲") as (session, _):
        for table in ("person", "identity", "bill"):
            hidden = session.execute(text(f"SELECT count(*) FROM {table} WHERE area = :area"), away)
            assert hidden.scalar_one() == 0, table
    after = desk.checks(case)
    assert list(after) == list(before)
    changed = {code for code in after if after[code] != before[code]}
    assert changed == {"registered_here"}


def test_a_bill_of_somebody_else_is_not_told(desk: Desk) -> None:
    bill = desk.register.bill("查乙", "B", "2024-06-25", "9000.00")
    case = desk.case("查甲", "high_cost_relief", "yueqing-2022-41", bills=f"{bill}")
    found = desk.checks(case)["bills_known"]
    assert (found.result, found.found) == ("differs", "0 张")
    with desk.world.acting("镇甲") as (session, _):
        assert session.execute(_ABOUT_BILL, {"case": case, "bill": bill}).all() == []


@pytest.mark.parametrize(
    ("policy", "said", "result"),
    [
        ("yueqing-2022-41", "高血压三级", "agrees"),
        ("yueqing-2022-41", "手指扭伤", "attention"),
        ("plan-2026", "高血压", "unknown"),
    ],
)
def test_a_diagnosis_is_looked_for_on_the_list(
    desk: Desk, policy: str, said: str, result: str
) -> None:
    case = desk.case("查甲", "chronic_certification", policy, diagnosis=said)
    assert desk.result(case, "diagnosis") == result


def test_grants_of_the_year_are_told_where_money_is_asked_for(desk: Desk) -> None:
    desk.world.town.accounts.change(
        "WITH rules AS (INSERT INTO rule_edition (digest, engine, files, confirmed)"
        " VALUES ('x', 1, '{}', '{}') RETURNING id), run AS (INSERT INTO match_run (area, year,"
        " as_of, rules_id, cluster, seen, state, started_by, first_release_by, released_by)"
        " SELECT 320281, 2026, DATE '2026-06-01', id, 1, '', 'released', '甲', '甲', '乙'"
        " FROM rules RETURNING id, rules_id) INSERT INTO grant_entry (bill_id, layer, seq,"
        " person_id, area, year, run_id, kind, amount, amount_after, policy, identity, rules_id,"
        " data_version, reason) SELECT 1, 1, 1, :person, 320281101001, 2026, id, 1, 12345, 12345,"
        " 1, 1, rules_id, 1, 1 FROM run",
        person=desk.world.people["查甲"].id,
    )
    found = desk.checks(desk.case("查甲", "high_cost_relief", "yueqing-2022-41"))["granted"]
    assert (found.result, found.found) == ("attention", "123.45 元")
    assert desk.result(desk.case("查甲"), "granted") == "agrees"
    assert desk.checks(desk.case("查乙"))["granted"].found == "0.00 元"


def test_a_relative_at_the_desk_is_told_to_leave_it(desk: Desk) -> None:
    case = desk.case("查甲")
    assert desk.result(case, "related") == "agrees"
    desk.world.town.accounts.change(
        "INSERT INTO staff_person (staff_id, person_id, recorded_by)"
        " VALUES (:staff, :person, '测试')",
        staff=desk.world.staff_ids["镇甲"], person=desk.world.people["查甲"].id,
    )  # fmt: skip
    assert desk.result(case, "related") == "attention"
    assert desk.result(case, "related", "镇乙") == "agrees"


def test_nobody_elsewhere_is_told_anything(desk: Desk) -> None:
    desk.register.identity("查甲", "subsistence_marginal", "2026-01-01")
    bill = desk.register.bill("查甲", "B", "2026-06-25", "9000.00")
    case = desk.case("查甲")
    desk.world.staff("外地", "township_reviewer", "330382101")
    with pytest.raises(UnknownCase):
        desk.checks(case, "外地")
    for who, rows in (("外地", 0), ("查甲", 0), ("镇甲", 1)):
        with desk.world.acting(who) as (session, _):
            for asked in OF_CASES:
                query = text(f"SELECT count(*) FROM {asked}")
                values = {"case": case, "bill": bill, "day": TODAY}
                values = {name: one for name, one in values.items() if f":{name}" in asked}
                assert session.execute(query, values).scalar_one() == rows, (who, asked)


def test_no_check_refuses(desk: Desk) -> None:
    """Everything differs, and the case is decided all the same."""
    case = desk.case("查甲", household_size="9", income="1.00")
    home(desk, "查甲", incomes={2025: "900000.00"})
    desk.register.change_person("查甲", insurance=4)
    assert desk.result(case, "insured_here") == "differs"
    with desk.world.acting("镇甲") as (session, actor):
        office = Office(actor, desk.world.keyring, desk.book, TODAY)
        done = decide(session, office, Decision(case, 1, Step("accept")))
    assert done.state == "accepted"


def test_a_look_is_written_down(desk: Desk) -> None:
    case = desk.case("查甲")
    desk.checks(case)
    with desk.world.owner.connect() as connection:
        query = text(
            "SELECT purpose, detail FROM audit_event WHERE subject_kind = 'person'"
            " AND subject_id = :id AND role = 'township_reviewer'"
        )
        found = connection.execute(query, {"id": str(desk.world.people["查甲"].id)}).all()
    assert [row.purpose for row in found] == ["review"]
    assert "bills" in str(found[0].detail)


@contextmanager
def counted(engine: Engine) -> Iterator[list[str]]:
    """The statements of the site."""
    said: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        said.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield said
    finally:
        event.remove(engine, "before_cursor_execute", note)


def test_two_hundred_cases_take_as_many_questions_as_one(desk: Desk) -> None:
    """Of as many people, each with a household, an identity, three bills and claims of them."""
    cases = many_cases(desk.world.owner, desk.world.keyring, 200)
    counts = []
    with desk.world.acting("镇甲") as (session, actor):
        office = Office(actor, desk.world.keyring, desk.book, TODAY)
        read = [case_of(session, case) for case in cases]
        assert len({case.id for case in read}) == len({case.person_id for case in read}) == 200
        for many in (read[:1], read):
            with counted(desk.world.site) as said:
                found = checks_of_many(session, office, many)
            counts.append(len(said))
    assert list(found) == cases
    for number, checks in enumerate(found.values(), start=1):
        told = {one.code: one for one in checks}
        assert (told["household_size"].found, told["household_size"].result) == ("1 人", "agrees")
        assert told["income"].found == "12000.00 元"
        assert told["identities"].found != "没有"
        assert told["bills_known"].found == "3 张"
        assert told["bills_elsewhere"].result == "agrees"
        assert told["bills_given"].found == f"3 张，{3 * number}.00 元"
    assert counts[0] == counts[1] <= 10
