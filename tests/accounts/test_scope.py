"""Who sees whom: asked of the database, in the website's role, table by table."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from backend.accounts.scope import act_as
from backend.accounts.staff_tables import DECIDERS, VISITORS
from backend.kernel.database import acting
from tests.support.accounts import Accounts
from tests.support.register import JIANGYIN, YUEQING, Register
from tests.support.sight import people_in_scope

NEXT_VILLAGE = JIANGYIN + 1
NEXT_TOWNSHIP = JIANGYIN + 1000
NEXT_COUNTY = 320282_101_001
WITH_PEOPLE = ("person", "identity", "bill", "assignment", "vital_event")


@dataclass
class Village:
    """People by where they are registered and where they live."""

    people: dict[str, int]
    accounts: Accounts
    site: Engine

    def seen(self, token: str, table: str = "person") -> set[str]:
        """The names of those who are seen in the session."""
        column = "id" if table == "person" else "person_id"
        with Session(self.site) as session, session.begin():
            acting(session, token)
            found = set(session.execute(text(f"SELECT {column} FROM {table}")).scalars())
        return {name for name, own in self.people.items() if own in found}


@pytest.fixture
def village(register: Register, accounts: Accounts, app_database: Engine) -> Village:
    """甲 at home; 乙 registered here and living in the next village; 丙 the other way round;
    丁 in the next township; 戊 in the next county; 己 in another province, living here."""
    places = {
        "甲": (JIANGYIN, JIANGYIN), "乙": (JIANGYIN, NEXT_VILLAGE), "丙": (NEXT_VILLAGE, JIANGYIN),
        "丁": (NEXT_TOWNSHIP, NEXT_TOWNSHIP), "戊": (NEXT_COUNTY, NEXT_COUNTY),
        "己": (YUEQING, JIANGYIN),
    }  # fmt: skip
    people = {}
    for name, (area, lives_in) in places.items():
        people[name] = register.person(name, area, lives_in=lives_in)
        register.identity(name, "subsistence_allowance", "2023-01-01")
        register.bill(name, f"B{people[name]}", "2024-03-09", "1000.00")
    return Village(people, accounts, app_database)


@pytest.mark.parametrize("table", ["person", "identity", "bill"])
@pytest.mark.parametrize(
    ("role", "area", "seen"),
    [
        # Where people live binds who visits them.
        ("family_doctor", "320281101001", "甲丙己"),
        ("village_coordinator", "320281101001", "甲丙己"),
        ("village_coordinator", "320281101002", "乙"),
        ("family_doctor", "320281101", "甲乙丙己"),
        # The registered area binds who decides.
        ("township_reviewer", "320281101", "甲乙丙"),
        ("township_reviewer", "320281102", "丁"),
        ("county_officer", "320281", "甲乙丙丁"),
        ("city_officer", "320200", "甲乙丙丁戊"),
        ("county_officer", "330382", "己"),
        # Nobody else sees anybody.
        ("cadre", "320281101001", ""),
        ("auditor", "320281", ""),
        ("system_admin", "320281", ""),
    ],
)
def test_each_role_sees_its_people_and_no_others(
    village: Village, table: str, role: str, area: str, seen: str
) -> None:
    assert village.seen(village.accounts.staff_token(role, area), table) == set(seen)


@pytest.mark.parametrize("role", VISITORS)
def test_an_assignment_binds_whom_somebody_looks_after(village: Village, role: str) -> None:
    """1+1+1: 丁 lives elsewhere, and is seen by who is assigned, in that role, on that day."""
    token = village.accounts.staff_token(role, "320281101003", "S7")
    other = village.accounts.staff_token(role, "320281101003", "S8")
    assert village.seen(token) == set()
    _assign(village, "丁", role, "S7", "2020-01-01")
    assert village.seen(token) == village.seen(token, "bill") == {"丁"}
    assert village.seen(other) == set()
    village.accounts.change("UPDATE assignment SET to_on = DATE '2020-12-31'")
    assert village.seen(token) == set()
    another = next(one for one in VISITORS if one != role)
    _assign(village, "丁", another, "S7", "2020-01-01")
    assert village.seen(token) == set()


@pytest.mark.parametrize("role", DECIDERS)
def test_an_assignment_shows_nothing_to_who_decides(village: Village, role: str) -> None:
    token = village.accounts.staff_token(role, "330302", "S7")
    _assign(village, "甲", "cadre", "S7", "2020-01-01")
    assert village.seen(token) == set()


def test_a_deputy_sees_whom_the_absent_one_looks_after(village: Village) -> None:
    absent = village.accounts.staff("S7")
    duty = village.accounts.duty(absent, "cadre", "320281101001")
    _assign(village, "丁", "cadre", "S7", "2020-01-01")
    deputy = village.accounts.staff("S8")
    stands_in = village.accounts.duty(
        deputy, "cadre", "320281101001", deputy_for=duty, to_on="2099-01-01", reason="休假"
    )
    token = village.accounts.sign_in(stands_in)
    assert village.seen(token) == {"丁"}
    village.accounts.change("UPDATE duty SET revoked_at = now() WHERE id = :id", id=duty)
    assert village.seen(token) == set()


def test_a_resident_sees_the_own_file_and_those_acted_for(village: Village) -> None:
    me = village.accounts.resident(village.people["甲"])
    token = village.accounts.resident_session(me)
    for table in ("person", "identity", "bill"):
        assert village.seen(token, table) == {"甲"}
    village.accounts.change(
        "INSERT INTO family_authority (id, resident_id, person_id, relationship, basis,"
        " recorded_by, from_on) VALUES (nextval('row_id'), :me, :other, 'child', 'guardian',"
        " '测试', DATE '2020-01-01')",
        me=me, other=village.people["乙"],
    )  # fmt: skip
    assert village.seen(token) == village.seen(token, "bill") == {"甲", "乙"}
    village.accounts.change("UPDATE family_authority SET to_on = DATE '2020-12-31'")
    assert village.seen(token) == {"甲"}
    village.accounts.change("UPDATE family_authority SET to_on = 'infinity', revoked_at = now()")
    assert village.seen(token) == {"甲"}


def test_a_resident_without_a_name_sees_nobody(village: Village) -> None:
    token = village.accounts.resident_token()
    assert village.seen(token) == set()
    with Session(village.site) as session, session.begin():
        actor = act_as(session, token)
        assert actor is not None
        assert (actor.kind, actor.level, actor.person_id) == ("resident", 0, None)
        assert people_in_scope(session) == frozenset()


def test_people_who_were_merged_are_seen_as_the_one_they_are(village: Village) -> None:
    token = village.accounts.resident_token(village.people["甲"])
    village.accounts.change(
        "INSERT INTO person_merge (merged_id, revision, person_id, file_id)"
        " VALUES (:old, 1, :new, 1)",
        old=village.people["甲"], new=village.people["乙"],
    )  # fmt: skip
    assert village.seen(token) == {"乙"}


@pytest.mark.parametrize("to", ["staff", "resident"])
def test_a_delegation_shows_the_person_until_the_consent_is_withdrawn(
    village: Village, to: str
) -> None:
    helper = village.accounts.staff()
    duty = village.accounts.duty(helper, "village_coordinator", "320281101003")
    friend = village.accounts.resident(village.people["戊"])
    token = {
        "staff": lambda: village.accounts.sign_in(duty),
        "resident": lambda: village.accounts.resident_session(friend),
    }[to]()
    own = {"staff": set[str](), "resident": {"戊"}}[to]
    assert village.seen(token) == own
    _delegate(village, "丁", **{f"{to}_id": helper if to == "staff" else friend})
    assert village.seen(token) == {"丁"} | own
    village.accounts.change(
        "INSERT INTO consent_withdrawal (consent_id, channel, by)"
        " SELECT consent_id, 'bedside', '测试' FROM delegation"
    )
    assert village.seen(token) == own


def test_what_is_known_of_residents_is_seen_by_who_sees_the_person(village: Village) -> None:
    for name in ("甲", "丁"):
        resident = village.accounts.resident(village.people[name])
        village.accounts.change(
            "INSERT INTO consent (id, resident_id, person_id, purpose, text_id, version,"
            " text_sha256, channel, by) VALUES (nextval('row_id'), :resident, :person, 'sms', 'x',"
            " 1, '', 'mini_program', '测试')",
            resident=resident, person=village.people[name],
        )  # fmt: skip
    for table in ("resident", "consent"):
        with Session(village.site) as session, session.begin():
            acting(session, village.accounts.staff_token("family_doctor", "320281101001"))
            found = session.execute(text(f"SELECT person_id FROM {table}")).scalars().all()
            assert found == [village.people["甲"]]
            acting(session, village.accounts.staff_token("system_admin", "320281"))
            assert session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() == 0


WRITES = {
    "a consent for a stranger": (
        "INSERT INTO consent (id, resident_id, person_id, purpose, text_id, version, text_sha256,"
        " channel, by) SELECT nextval('row_id'), scope_resident(), :other, 'sms', 'x', 1, '',"
        " 'mini_program', 'x'"
    ),
    "authority over a stranger": (
        "INSERT INTO family_authority (id, resident_id, person_id, relationship, basis,"
        " recorded_by, from_on) SELECT nextval('row_id'), scope_resident(), :other, 'child',"
        " 'guardian', 'x', DATE '2020-01-01'"
    ),
    "an account that is known already": (
        "INSERT INTO resident (id, person_id, level) SELECT nextval('row_id'), :other, 2"
    ),
}


@pytest.mark.parametrize("what", WRITES)
def test_nobody_writes_about_a_person_who_is_not_theirs(village: Village, what: str) -> None:
    token = village.accounts.resident_token(village.people["甲"])
    with Session(village.site) as session:
        acting(session, token)
        with pytest.raises(DBAPIError, match="permission denied"):
            session.execute(text(WRITES[what]), {"other": village.people["丁"]})


def test_a_list_of_work_is_seen_by_its_role_alone(village: Village) -> None:
    village.accounts.change(
        "INSERT INTO work_item (kind, subject_kind, subject_id, person_id, area, role, list_area,"
        " reason, due_on, due_provisional, opened_by)"
        " SELECT 'home_visit', 'x', role, :person, 320281101001, role, list, '看看', now(), false,"
        " 'x' FROM (VALUES ('village_coordinator', 320281101001),"
        " ('township_reviewer', 320281101000)) AS lists (role, list)",
        person=village.people["甲"],
    )

    def lists(role: str, area: str) -> list[str]:
        with Session(village.site) as session, session.begin():
            acting(session, village.accounts.staff_token(role, area))
            found = session.execute(text("SELECT role FROM work_item ORDER BY role")).scalars()
            return list(found)

    assert lists("village_coordinator", "320281101001") == ["village_coordinator"]
    assert lists("village_coordinator", "320281101002") == []
    assert lists("township_reviewer", "320281101") == ["township_reviewer", "village_coordinator"]
    assert lists("township_reviewer", "320281102") == []
    assert lists("family_doctor", "320281101001") == []


@pytest.mark.parametrize("policy", ["own_area", "own_homes", "own_people"])
def test_without_its_policy_nobody_sees_what_it_shows(
    village: Village, database: Engine, policy: str
) -> None:
    """What is seen above is seen by these policies, and by nothing else."""
    token = {
        "own_area": village.accounts.staff_token("county_officer", "320281"),
        "own_homes": village.accounts.staff_token("family_doctor", "320281101001"),
        "own_people": village.accounts.resident_token(village.people["甲"]),
    }[policy]
    assert village.seen(token, "bill")
    with database.begin() as connection:
        connection.execute(text(f"DROP POLICY {policy} ON bill"))
    assert village.seen(token, "bill") == set()
    assert village.seen(token, "person")


def test_without_row_level_security_everybody_would_be_seen(
    village: Village, database: Engine
) -> None:
    """The control: the tests above turn red where a table is left open."""
    token = village.accounts.staff_token("family_doctor", "320281101001")
    with database.begin() as connection:
        connection.execute(text("ALTER TABLE bill DISABLE ROW LEVEL SECURITY"))
    assert village.seen(token, "bill") == set("甲乙丙丁戊己")


def test_a_doctor_of_a_large_township_is_answered_from_indexes(
    village: Village, database: Engine
) -> None:
    with database.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO person (id, known, area, lives_in, household_id, insurance, rural,"
                " declined_health_service, born_on, sex, name, phone, phone_index, data_key,"
                " file_id, revision) SELECT 9000000 + n, true, :here, :here, 0, 1, false, false,"
                " DATE '1960-01-01', 1, '', '', '', '', 1, 1 FROM generate_series(1, 20000) AS n"
            ),
            {"here": JIANGYIN},
        )
        connection.execute(text("ANALYZE person, bill"))
    with Session(village.site) as session, session.begin():
        acting(session, village.accounts.staff_token("family_doctor", "320281101"))
        explain = "EXPLAIN SELECT id FROM bill WHERE person_id = :one"
        plan = "\n".join(session.execute(text(explain), {"one": 9_000_001}).scalars())
    assert "pk_person" in plan  # one look at the person for each bill, not one at everybody
    assert "Seq Scan on person" not in plan


def _assign(village: Village, name: str, role: str, staff_no: str, from_on: str) -> None:
    village.accounts.change(
        "INSERT INTO assignment (id, person_id, area, role, staff_no, from_on, file_id, revision)"
        " SELECT nextval('row_id'), id, area, :role, :staff_no, CAST(:from_on AS date), 1, 1"
        " FROM person WHERE id = :person",
        person=village.people[name], role=role, staff_no=staff_no, from_on=from_on,
    )  # fmt: skip


def _delegate(village: Village, name: str, **to: int) -> None:
    column, helper = next(iter(to.items()))
    village.accounts.change(
        "WITH given AS (INSERT INTO consent (id, person_id, purpose, text_id, version,"
        " text_sha256, channel, by) VALUES (nextval('row_id'), :person, 'delegation', 'x', 1, '',"
        " 'bedside', '测试') RETURNING id)"
        f" INSERT INTO delegation (id, person_id, {column}, scope, from_on, to_on, consent_id,"
        " channel, recorded_by) SELECT nextval('row_id'), :person, :helper, '{see}',"
        " DATE '2020-01-01', DATE '2099-01-01', id, 'bedside', '测试' FROM given",
        person=village.people[name], helper=helper,
    )  # fmt: skip
