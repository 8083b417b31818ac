"""What decides whom the website sees, it can write by the deeds of the database alone.

As whoever put a whole statement of SQL into one of the website's: with a session of their own, or
with none, and without the keys, which are not in the database.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from backend.accounts.passwords import keep, show
from backend.accounts.staff_tables import ROLES
from backend.kernel.clock import today
from backend.kernel.database import acting, bound
from tests.support.accounts import Accounts
from tests.support.phones import bind_phone
from tests.support.townsfolk import Townsfolk, Townsman

WRITES = ("INSERT", "UPDATE", "DELETE", "TRUNCATE")
SECRET = re.compile(r"sha256|_index$|salt|^password|^totp")
NO_SECRET = {
    ("consent", "text_sha256"), ("person", "phone_index"), ("application", "code_index"),
    ("notice_objection", "code_index"), ("letter", "content_sha256"),
    ("letter", "document_sha256"), ("letter", "subject_sha256"), ("letter_part", "sha256"),
    ("paper", "sha256"), ("paper_content", "sha256"),
}  # fmt: skip
"""Digests of public texts, and of letters and papers for those who may see these; indexes by which
nothing opens, or the bare state of a case that one sees."""
HARMLESS = {
    "audit_event": "appended to; nobody sees anybody by it",
    "message_read": "what an account has read, of messages that it sees",
    "notice_due": "what people are owed to hear; the site does not read it",
    "utterance": "an answer of staff, in conversations of their own list",
}
"""Tables that functions of the database read, and whose rows decide about nobody's sight: these the
site may write."""
JUDGED = frozenset({
    "application", "application_answer", "application_claim", "application_clock",
    "application_grant", "application_recusal", "application_step", "bill_claim",
    "claim_assignment", "handed_on", "letter", "letter_event", "letter_part", "notice_objection",
    "paper", "paper_piece",
})  # fmt: skip
"""Tables whose rows the site writes itself: a row is taken where the session has the say over its
person or case. What else it must be is for the triggers, tried by tests/applications/test_moves.py,
tests/letters and tests/papers."""
PUBLIC = {"application_move": "the table of moves", "letter_move": "the same of letters",
          "code_number": "codes by number"}  # fmt: skip
"""Tables without anything of anybody, that no site writes."""
COUNTED = {"rate_window"}
"""How often was asked, under digests: a site that writes wrong counts slows or spares itself."""
SESSION = {
    "same_people", "scope_staff", "scope_resident", "scope_low", "scope_role", "application",
    "letter", "paper", "takes_paper",
}  # fmt: skip
"""What a policy asks of the session; or of a case or letter, which policies of its own show."""
WRITTEN = text(
    "SELECT polrelid::regclass::text, coalesce(pg_get_expr(polwithcheck, polrelid),"
    " pg_get_expr(polqual, polrelid), 'true') FROM pg_policy WHERE polcmd IN ('a', 'w', 'd', '*')"
)
POLICIES = text(
    "SELECT coalesce(pg_get_expr(polqual, polrelid), '') || ' '"
    " || coalesce(pg_get_expr(polwithcheck, polrelid), '') FROM pg_policy"
)
FUNCTIONS = text(
    "SELECT proname, prosrc, prosecdef AND has_function_privilege('shukun_app', oid, 'EXECUTE')"
    " FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
    " AND prolang IN (SELECT oid FROM pg_language WHERE lanname IN ('plpgsql', 'sql'))"
)
BELIEVING = text(
    "SELECT p.proname FROM pg_proc AS p, unnest(p.proargtypes) AS given"
    " JOIN pg_type AS t ON t.oid = given"
    " WHERE p.pronamespace = 'public'::regnamespace AND p.prosecdef AND t.typtype = 'c'"
    " AND has_function_privilege('shukun_app', p.oid, 'EXECUTE')"
)
"""Functions with more rights than the site has, that are given whole rows."""
COLUMNS = text(
    "SELECT c.relname, a.attname, c.relrowsecurity AND c.relforcerowsecurity,"
    " has_column_privilege('shukun_app', c.oid, a.attnum, 'SELECT'),"
    " has_column_privilege('shukun_app', c.oid, a.attnum, 'INSERT, UPDATE')"
    " OR has_table_privilege('shukun_app', c.oid, 'DELETE, TRUNCATE')"
    " FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid"
    " WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace"
    " AND a.attnum > 0 AND NOT a.attisdropped"
)


def deciding(connection: Connection) -> set[str]:
    """The tables that policies read, and every function that runs with more rights than the site
    has; and what those call.
    """
    functions = connection.execute(FUNCTIONS).all()
    sources = {name: _words(source) for name, source, _ in functions}
    words = {word for rule in connection.scalars(POLICIES) for word in _words(rule)}
    words |= {name for name, _, lent in functions if lent}
    while more := {one for word in words for one in sources.get(word, ())} - words:
        words |= more
    return words & {row[0] for row in connection.execute(COLUMNS)}


def faults(connection: Connection) -> set[str]:
    """What the site could change or read of these tables, and should not."""
    tables, found = deciding(connection), set()
    for table, column, protected, read, written in connection.execute(COLUMNS):
        if table not in tables - COUNTED:
            continue
        if written and table not in HARMLESS and not (table in JUDGED and protected):
            found.add(f"{table}.{column} is written")
        if read and SECRET.search(column) and (table, column) not in NO_SECRET:
            found.add(f"{table}.{column} is read")
        if read and not protected and (written or table not in PUBLIC):
            found.add(f"{table} is read by everybody")
    return found | {
        f"{table} is written whoever asks"
        for table, rule in connection.execute(WRITTEN)
        if table in JUDGED and not SESSION & _words(rule)
    }


def _words(source: str) -> set[str]:
    return set(re.findall(r"\w+", source))


def test_the_site_neither_writes_what_decides_nor_reads_its_secrets(database: Engine) -> None:
    with database.connect() as connection:
        assert deciding(connection) >= {
            "account_session", "resident", "staff", "duty", "assignment", "person", "account_code",
            "family_authority", "delegation", "consent", "consent_withdrawal", "wechat_user",
            "identity_check", "person_number", "person_merge",
        }  # fmt: skip
        assert faults(connection) == set()


SABOTAGE = {
    "GRANT UPDATE (person_id) ON resident TO shukun_app": "resident.person_id is written",
    "GRANT INSERT ON account_session TO shukun_app": "account_session.duty_id is written",
    "GRANT DELETE ON consent_withdrawal TO shukun_app": "consent_withdrawal.at is written",
    "GRANT SELECT ON staff TO shukun_app": "staff.password_sha256 is read",
    "GRANT SELECT ON wechat_user TO shukun_app": "wechat_user.openid_index is read",
    "ALTER TABLE duty DISABLE ROW LEVEL SECURITY": "duty is read by everybody",
    "ALTER TABLE application NO FORCE ROW LEVEL SECURITY": "application.state is written",
    "CREATE POLICY open ON letter FOR INSERT TO shukun_app WITH CHECK (true)": (
        "letter is written whoever asks"
    ),
    "GRANT UPDATE (deed) ON application_move TO shukun_app": "application_move.deed is written",
    "CREATE FUNCTION mine() RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER AS"
    " 'BEGIN RETURN EXISTS (SELECT FROM wechat_token); END'": "wechat_token is read by everybody",
}


@pytest.mark.parametrize("what", SABOTAGE)
def test_a_right_too_many_is_found(database: Engine, what: str) -> None:
    """The control of the test above."""
    with database.begin() as connection:
        connection.execute(text(what))
        assert SABOTAGE[what] in faults(connection)


def test_no_function_believes_a_row_that_the_site_made_up(database: Engine) -> None:
    with database.begin() as connection:
        assert connection.scalars(BELIEVING).all() == []
        # The control.
        connection.execute(
            text("GRANT EXECUTE ON FUNCTION authority_holds(family_authority) TO shukun_app")
        )
        assert connection.scalars(BELIEVING).all() == ["authority_holds"]


# -- as somebody who may write any statement


@dataclass
class Intruder:
    """甲's own session, in the site's role; 乙 is a stranger, with an account."""

    site: Engine
    token: str
    own: Townsman
    stranger: Townsman
    values: dict[str, Any]

    def run(self, statement: str, token: str | None = None) -> Any:
        """The first value of what the statement answers, committed."""
        with Session(self.site) as session, session.begin():
            acting(session, self.token if token is None else token)
            found = session.execute(text(statement), self.values)
            return found.scalar() if found.returns_rows else None  # type: ignore[attr-defined]

    def sees(self, token: str | None = None) -> set[int]:
        with Session(self.site) as session, session.begin():
            acting(session, self.token if token is None else token)
            return set(session.execute(text("SELECT id FROM person")).scalars())


@pytest.fixture
def intruder(town: Townsfolk, app_database: Engine) -> Iterator[Intruder]:
    own, stranger = town.person("测试甲"), town.person("测试乙")
    token = town.known(own)
    town.known(stranger)
    officer = town.accounts.duty(town.accounts.staff("S1"), "county_officer", "320281")
    values = {
        "me": own.id, "other": stranger.id, "digest": bytes(32), "duty": officer,
        "day": today(), "later": today() + timedelta(days=30),
    }  # fmt: skip
    one = Intruder(app_database, token, own, stranger, values)
    assert one.sees() == {own.id}
    yield one
    assert one.sees() == {own.id}


STATEMENTS = (
    "UPDATE resident SET person_id = :other, level = 2",
    "UPDATE resident SET ui_mode = 'elder'",
    "INSERT INTO resident (id, person_id) VALUES (1, :other)",
    "INSERT INTO account_session (token_sha256, staff_id, duty_id, expires_at)"
    " SELECT :digest, staff_id, id, 'infinity' FROM duty WHERE id = :duty",
    "UPDATE account_session SET expires_at = 'infinity'",
    "SELECT token_sha256 FROM account_session",
    "UPDATE staff SET password_sha256 = :digest",
    "SELECT password_sha256 FROM staff",
    "SELECT totp_secret FROM staff",
    "UPDATE duty SET area_from = 0",
    "SELECT openid_index FROM wechat_user",
    "INSERT INTO wechat_user (resident_id, openid_index, openid) VALUES (1, 'x', 'x')",
    "UPDATE account_code SET code_sha256 = :digest",
    "DELETE FROM identity_check",
    "INSERT INTO identity_check (resident_id, method, outcome, by) VALUES (1, 'counter', 'x', 'x')",
    "INSERT INTO family_authority (id, resident_id, person_id, relationship, basis, recorded_by,"
    " from_on) VALUES (1, scope_resident(), :other, 'child', 'guardian', 'x', :day)",
    "INSERT INTO consent (id, person_id, purpose, text_id, version, text_sha256, channel, by)"
    " VALUES (1, :other, 'delegation', 'x', 1, 'x', 'mini_program', 'x')",
    "INSERT INTO delegation (id, person_id, resident_id, scope, from_on, to_on, consent_id, channel,"
    " recorded_by) VALUES (1, :other, scope_resident(), '{see}', :day, :later, 1, 'counter', 'x')",
    "UPDATE delegation SET to_on = 'infinity'",
    "DELETE FROM consent_withdrawal",
    "INSERT INTO assignment (id) VALUES (1)",
    # What the deeds are made of is not for the site.
    "SELECT bind_person(scope_resident(), :other)",
    "SELECT close_account(1)",
    "SELECT withdraw(1, 'counter', 'x')",
    "SELECT given_alike(1)",
    "SELECT duty_held(1, 1)",
    "SELECT has_account(:other)",
    "SELECT resident_of_openid(ARRAY[:digest])",
    "SELECT authority_holds(ROW(1, 1, :other, 'child', 'guardian', ''::bytea, 'resident:1', now(),"
    " :day, :later, NULL, NULL)::family_authority)",
    "SELECT consent_holds(c) FROM consent AS c",
    "SELECT delegation_holds(d) FROM delegation AS d",
    # The deeds refuse what is not the session's.
    "SELECT confirm_name(:other, true)",
    "SELECT give_consent(1, :other, 'delegation', 1, 'x', 'mini_program', '')",
    "SELECT give_consent(1, :me, 'delegation', 1, 'x', 'bedside', '')",
    "SELECT begin_authority(1, :other, 'child', 'guardian', '', :day, :later)",
    "SELECT standing_delegation(:other, 1, '{see}', :day, :later, 1)",
    "SELECT begin_delegation(1, 1, :other, NULL, '{see}', :day, :later, '')",
)


@pytest.mark.parametrize("statement", STATEMENTS)
def test_no_statement_of_the_site_widens_what_it_sees(intruder: Intruder, statement: str) -> None:
    with pytest.raises(DBAPIError, match=r"permission denied|not for this session"):
        intruder.run(statement)


def test_what_only_its_owner_can_show_opens_a_session(intruder: Intruder, town: Townsfolk) -> None:
    """No password's proof, no index, no code: no session, no name, nobody's number."""
    opened = "SELECT outcome FROM open_staff_session('S1', :digest, 99999999, NULL, NULL, :duty, :digest, '')"
    for _ in range(4):
        assert intruder.run(opened) == "refused"
    assert intruder.run("SELECT staff_asked('S1', '') IS NOT NULL")
    assert intruder.run(opened) == "refused"
    assert intruder.run("SELECT count(*) FROM staff_asked('S1', '')") == 0  # locked
    assert intruder.run("SELECT open_resident_session(ARRAY[:digest], :digest, '')") is None
    assert intruder.run("SELECT switch_duty(:duty, :digest)") is False
    named = town.accounts.resident_token()
    with bound(intruder.site):
        bind_phone(named, town.keyring)
    proved = "SELECT outcome FROM prove_name(ARRAY[:digest], true)"
    assert [intruder.run(proved, named) for _ in range(6)] == ["not_matched"] * 5 + ["too_many"]
    assert intruder.sees(named) == set()
    assert intruder.run("SELECT visiting_staff('S1')") is None
    assert intruder.run("SELECT count(*) FROM staff") == 0
    assert intruder.run("SELECT count(*) FROM duty") == 0


def test_with_the_password_the_same_statement_opens_one(
    intruder: Intruder, accounts: Accounts
) -> None:
    """The control: it is the proof that was missing."""
    kept = keep("invented-for-a-test-7")
    accounts.change(
        "UPDATE staff SET password_salt = :salt, password_sha256 = :sha256, must_change = false",
        salt=kept.salt, sha256=kept.sha256,
    )  # fmt: skip
    intruder.values["shown"] = show("invented-for-a-test-7", kept.salt)
    opened = "SELECT outcome FROM open_staff_session('S1', :shown, 99999999, NULL, NULL, :duty, :digest, '')"
    assert intruder.run(opened) == "open"


def test_a_consent_carries_one_delegation_and_is_given_with_it(intruder: Intruder) -> None:
    given = "SELECT give_consent(:own, :me, 'delegation', 1, 'x', 'mini_program', '')"
    begun = "SELECT begin_delegation(:own, :own, :me, :staff, '{see}', :day, :later, '')"
    with Session(intruder.site) as session, session.begin():
        acting(session, intruder.token)
        own = session.execute(text("SELECT nextval('row_id')")).scalar_one()
        intruder.values |= {"own": own, "staff": None}
        session.execute(text(given), intruder.values)
    with pytest.raises(DBAPIError, match="not for this session"):
        intruder.run(begun)


def test_whether_a_stored_row_stands_is_told_to_who_sees_it(
    intruder: Intruder, accounts: Accounts
) -> None:
    owner = "INSERT INTO consent (id, resident_id, person_id, purpose, text_id, version,"
    for own, whose in ((1, "me"), (2, "other")):
        accounts.change(
            f"{owner} text_sha256, channel, by) SELECT {own}, r.id, :{whose}, 'sms', 'sms', 1, 'x',"
            f" 'mini_program', 'x' FROM resident AS r WHERE r.person_id = :{whose}",
            **intruder.values,
        )
        accounts.change(
            "INSERT INTO family_authority (id, resident_id, person_id, relationship, basis,"
            " recorded_by, from_on)"
            f" SELECT {own}, r.id, :{whose}, 'other', 'written', 'staff:S1', :day"
            f" FROM resident AS r WHERE r.person_id = :{whose}",
            **intruder.values,
        )
    for stands in ("consent_stands", "authority_stands"):
        assert intruder.run(f"SELECT {stands}(1)")
        assert not intruder.run(f"SELECT {stands}(1)", "")
        assert not intruder.run(f"SELECT {stands}(2)")


@pytest.mark.parametrize("role", ROLES)
def test_staff_write_about_nobody_whom_they_do_not_see(
    intruder: Intruder, accounts: Accounts, role: str
) -> None:
    """A duty in another county, with the code of 甲's account told."""
    token = accounts.staff_token(role, "330382")
    code = "SELECT show_code(sha256('12345678'))"
    intruder.run(code)
    told = "WITH t AS (SELECT set_config('shukun.code', '12345678', true) AS c) SELECT "
    for deed in (
        "confirm_name(:other, true)",
        "give_consent(1, :other, 'children_data', 1, 'x', 'counter', '')",
        "begin_authority(1, :other, 'child', 'written', '', :day, NULL)",
    ):
        with pytest.raises(DBAPIError, match="not for this session"):
            intruder.run(f"{told} {deed} FROM t WHERE c <> ''", token)


def test_were_the_own_row_writable_a_strangers_file_would_be_seen(
    town: Townsfolk, app_database: Engine, database: Engine
) -> None:
    """The control of everything above: sight follows from these rows."""
    own, stranger = town.person("测试甲"), town.person("测试乙")
    one = Intruder(app_database, town.known(own), own, stranger, {"other": stranger.id})
    with database.begin() as connection:
        connection.execute(text("GRANT UPDATE (person_id) ON resident TO shukun_app"))
        mine = "id = (SELECT scope_resident())"
        connection.execute(
            text(f"CREATE POLICY mine ON resident FOR UPDATE TO shukun_app USING ({mine})")
        )
    one.run("UPDATE resident SET person_id = :other")
    assert one.sees() == {stranger.id}
