"""What a resident may do for others depends on what they were given: every route asks."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from backend.accounts.authority import SCOPES
from backend.accounts.family import BASES
from backend.assistant.knowing import known_of
from backend.kernel.clock import today
from backend.kernel.database import bound, transaction
from backend.notifications.messages import Owed, owe
from tests.miniprogram_api.accounts.conftest import Site
from tests.support.recipients import NOON
from tests.support.townsfolk import Townsfolk, Townsman

DAY = today().isoformat()
NOTHING = {
    "file": 404,
    "viewers": 404,
    "consent": 404,
    "delegation": 404,
    "read": 404,
    "told": False,
}
FAMILY = {"file": 200, "read": 204, "told": True}
GIVEN = {
    "see": {"file": 200, "told": True},
    "apply": {},
    "materials": {},
    "receive": {"read": 204},
    "written": FAMILY,
    "spouse": FAMILY,
    "guardian": {**FAMILY, "viewers": 200, "consent": 201, "delegation": 201},
    "ended": {},
}
"""How somebody acts for another → what they may do besides nothing."""


@pytest.fixture
def acting(town: Townsfolk) -> int:
    """The account of somebody who acts for others."""
    return town.accounts.resident(town.person("测试子").id)


def give(town: Townsfolk, account: int, person: int, how: str) -> None:
    """By a matter of a delegation, or the basis of an authority."""
    if how in ("written", "spouse", "guardian"):
        town.accounts.change(
            "INSERT INTO family_authority (id, resident_id, person_id, relationship, basis,"
            " recorded_by, from_on) VALUES (nextval('row_id'), :account, :person, 'parent', :how,"
            " '测试', '2020-01-01')",
            account=account, person=person, how=how,
        )  # fmt: skip
        return
    scope = list(SCOPES) if how == "ended" else [how]
    town.accounts.change(
        "WITH agreed AS (INSERT INTO consent (id, person_id, purpose, text_id, version,"
        " text_sha256, channel, by) VALUES (nextval('row_id'), :person, 'delegation',"
        " 'delegation', 1, sha256('x'), 'counter', '测试') RETURNING id)"
        " INSERT INTO delegation (id, person_id, resident_id, scope, from_on, to_on, consent_id,"
        " channel, recorded_by, ended_at) SELECT nextval('row_id'), :person, :account, :scope,"
        " '2020-01-01', '2099-01-01', id, 'counter', '测试',"
        " CASE WHEN :ended THEN now() END FROM agreed",
        account=account, person=person, scope=scope, ended=how == "ended",
    )  # fmt: skip


@pytest.mark.parametrize("how", GIVEN)
def test_what_somebody_may_do_for_another_is_what_was_given(
    how: str, site: Site, town: Townsfolk, jia: Townsman, acting: int
) -> None:
    give(town, acting, jia.id, how)
    with bound(town.engine), transaction() as session:
        owe(session, Owed("grant", jia.id, "match_run:1"), NOON)
        message = session.execute(text("SELECT id FROM message")).scalar_one()
    token = town.accounts.resident_session(acting)
    terms = {"scope": ["see"], "from_on": DAY, "to_on": DAY, "consent": 1, "staff_no": "V1"}
    agreed = {"purpose": "face_check", "version": 1, "agrees": True, "person": jia.id}
    town.accounts.staff_token("village_coordinator", "320281101001", "V1")
    asked = {
        "file": ("GET", f"/me/file?person={jia.id}", None),
        "viewers": ("GET", f"/me/viewers?person={jia.id}", None),
        "consent": ("POST", "/me/consents", agreed),
        "delegation": ("POST", "/me/delegations", terms | {"person": jia.id}),
        "read": ("POST", f"/inbox/{message}/read", None),
    }
    found = {
        name: site.ask(method, path, token, body).status_code
        for name, (method, path, body) in asked.items()
    }
    assert found | {"told": progress(town, acting, jia)} == NOTHING | GIVEN[how]
    shown = site.ask("GET", "/inbox", token).json["messages"]
    assert [one["person_id"] for one in shown] == [jia.id] * (found["read"] == 204)


def progress(town: Townsfolk, account: int, person: Townsman) -> bool:
    """Whether the chat would tell the account where the person's assistance stands."""
    with bound(town.engine), transaction() as session:
        said = session.execute(text("SELECT 1 AS id, CAST(:one AS bigint) AS resident_id"),
                               {"one": account}).one()  # fmt: skip
        return person.id in known_of(session, said, today())[1].people


def test_every_matter_and_every_basis_is_tried() -> None:
    assert {*SCOPES, *BASES, "ended"} == set(GIVEN)
