"""A letter is read to its end, signed by whoever may, and sealed once."""

from __future__ import annotations

import io
import json
import os
import signal
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import Engine, text

from backend.citizens.keyed import KEYED
from backend.kernel import key_file
from backend.kernel.crypto import Keyring
from backend.kernel.database import bound
from backend.kernel.rotation import rotate
from backend.letters import seals, tasks
from backend.letters.evidence import opened
from backend.letters.handwriting import Drawing, Point, SignatureWrong
from backend.letters.letters import (
    Letter,
    LetterDeedImpossible,
    UnknownLetter,
    cipher_of,
    content_of,
    letter_seen,
    part_of,
)
from backend.letters.presenting import letter_of, letters_of, refuse_letter, revoke_letter
from backend.letters.reading import file_of
from backend.letters.sealing import OwnSeal
from backend.letters.signing import (
    LetterOutdated,
    LetterUnread,
    Reading,
    finish_reading,
    open_letter,
)
from backend.letters.signing_provider import Sealed, ToSeal
from backend.letters.tasks import expire_unsigned, seal_letter
from backend.letters.verification import verify
from tests.support.accounts import Accounts
from tests.support.letters import DAY, drawing, trusted
from tests.support.signing import SUBJECT, Desk, drawn, strokes
from tests.support.townsfolk import Townsfolk


def counted(engine: Engine, query: str, **values: Any) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text(query), values).scalar_one())


def sealed_bytes(desk: Desk, letter: Letter, part: str = "sealed") -> bytes:
    with desk.acting() as (session, _):
        return part_of(session, cipher_of(session, desk.keyring, letter), letter, part)


def test_a_letter_goes_from_the_answers_to_the_seal(
    desk: Desk, own_seal: OwnSeal, worker_database: Engine
) -> None:
    letter = desk.present()
    assert letter.state == "presented"
    assert desk.read(letter, read_aloud=True).state == "identity_ok"
    desk.wait(letter)
    assert desk.sign(letter).state == "signed"
    jobs = "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'letters.seal'"
    assert counted(desk.owner, jobs) == 1
    seal_letter(letter_id=letter.id)
    assert desk.seen(letter).state == "sealed"
    verdict = verify(sealed_bytes(desk, letter), trusted(own_seal._keys))
    assert verdict.genuine
    assert verdict.shown == letter.document_sha256.hex()


def test_the_seal_names_the_evidence_and_the_evidence_everything_else(
    desk: Desk, own_seal: OwnSeal, worker_database: Engine
) -> None:
    letter = desk.signed()
    seal_letter(letter_id=letter.id)
    verdict = verify(sealed_bytes(desk, letter), trusted(own_seal._keys))
    key = own_seal._keys.evidence_key.public_key()
    package, digest = opened(sealed_bytes(desk, letter, "evidence"), key)
    assert verdict.proof == digest.hex()
    assert verdict.drawn == package["will"]["drawing_sha256"] == drawn().sha256.hex()
    assert package["letter"]["document_sha256"] == letter.document_sha256.hex()
    assert package["will"]["signer"] == {
        "account": f"resident:{desk.who.resident}", "capacity": "self", "level": 2,
        "method": "register",
    }  # fmt: skip
    assert package["will"]["environment"]["ip"] == "203.0.113.0/24"
    assert package["will"]["drawing"]["strokes"][0][0] == {
        "x": 50, "y": 200, "t": 0, "pressure": 500,
    }  # fmt: skip
    assert [one["deed"] for one in package["events"]] == [
        "present", "identify", "open", "read", "sign",
    ]  # fmt: skip
    assert package["will"]["times"]["seconds"] >= 60


def test_each_step_is_in_the_audit(desk: Desk) -> None:
    letter = desk.signed()
    with desk.owner.connect() as connection:
        rows = connection.execute(
            text("SELECT action, actor, detail FROM audit_event WHERE subject_kind = 'letter'"
                 " AND subject_id = :id ORDER BY id"),
            {"id": str(letter.id)},
        ).all()  # fmt: skip
    assert [row.action for row in rows] == [
        f"letter.{deed}" for deed in ("present", "identify", "open", "read", "sign")
    ]
    assert {row.actor for row in rows} == {f"resident:{desk.who.resident}"}
    assert {row.detail["person"] for row in rows} == {desk.who.person}


def test_nothing_of_it_is_readable_in_the_database(desk: Desk) -> None:
    letter = desk.signed()
    with desk.owner.connect() as connection:
        rows = connection.execute(
            text("SELECT body FROM letter_part WHERE letter_id = :id"), {"id": letter.id}
        ).scalars()
        kept = b"".join(bytes(row) for row in rows)
    assert b"%PDF-1" not in kept
    assert b"\x89PNG\r\n" not in kept
    assert "江阴".encode() not in kept


@pytest.mark.parametrize(
    ("step", "said"),
    [("unopened", "先打开"), ("unscrolled", "看到最后"), ("quick", "太快")],
)
def test_what_was_not_read_is_not_signed(desk: Desk, step: str, said: str) -> None:
    letter = desk.present()
    if step == "unscrolled":
        with desk.acting() as (session, actor):
            open_letter(session, actor, letter, Reading())
        desk.wait(letter)
    elif step == "quick":
        desk.read(letter)
        desk.wait(letter, 9)
    with pytest.raises(LetterUnread) as refused:
        desk.sign(letter)
    assert said in refused.value.faults[0].detail
    assert desk.seen(letter).state in ("presented", "identity_ok")


def test_after_the_least_seconds_it_is_signed(desk: Desk) -> None:
    letter = desk.read(desk.present())
    desk.wait(letter, 10)
    assert desk.sign(letter).state == "signed"


def test_the_end_cannot_be_reached_before_the_page_was_opened(desk: Desk) -> None:
    letter = desk.present()
    with pytest.raises(LetterUnread), desk.acting() as (session, actor):
        finish_reading(session, actor, letter, Reading())


@pytest.mark.parametrize("different", [{"shown_sha256": "0" * 64}, {"nonce": "0" * 64}])
def test_the_signature_of_another_letter_is_not_taken(
    desk: Desk, different: dict[str, str]
) -> None:
    letter = desk.read(desk.present())
    desk.wait(letter)
    with pytest.raises(LetterOutdated):
        desk.sign(letter, **different)


def moved(by: int) -> tuple[tuple[Point, ...], ...]:
    return tuple(tuple(replace(one, x=one.x + by) for one in stroke) for stroke in strokes())


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: drawn(png=b""),
        lambda: drawn(png=b"\xff\xd8\xff" + b"x" * 900),
        lambda: drawn(png=drawing()[:200]),
        lambda: drawn(png=drawing() + b"x" * 300_000),
        lambda: drawn(png=drawing(20, 20)),
        lambda: drawn(png=drawing(9000, 30)),
        lambda: drawn(png=empty()),
        lambda: drawn(strokes=()),
        lambda: drawn(strokes=(strokes()[0][:5],)),
        lambda: drawn(strokes=moved(700)),
        lambda: drawn(strokes=strokes()[::-1]),
        lambda: drawn(strokes=((Point(5, 5, 0),) * 20 + (Point(5, 5, 900),),)),
        lambda: drawn(strokes=(tuple(replace(one, t=1) for one in strokes()[0]),)),
        lambda: drawn(strokes=(strokes()[0][:1] * 8_001,)),
    ],
)
def test_what_is_no_signature_is_refused(desk: Desk, wrong: Callable[[], Drawing]) -> None:
    letter = desk.read(desk.present())
    desk.wait(letter)
    with pytest.raises(SignatureWrong) as refused:
        desk.sign(letter, drawing=wrong())
    assert refused.value.faults[0].detail.endswith("。")
    assert desk.seen(letter).state == "identity_ok"


def empty() -> bytes:
    written = io.BytesIO()
    Image.new("RGBA", (800, 260)).save(written, "PNG")
    return written.getvalue()


def test_sent_twice_it_is_signed_once(desk: Desk) -> None:
    letter = desk.signed()
    assert desk.sign(letter).state == "signed"
    signed = "SELECT count(*) FROM letter_event WHERE deed = 'sign'"
    assert counted(desk.owner, signed) == 1
    with pytest.raises(LetterDeedImpossible):
        desk.sign(letter, drawing=drawn(png=drawing(640, 200), width=640, strokes=strokes()))


def test_somebody_else_neither_sees_nor_signs_it(
    desk: Desk, town: Townsfolk, accounts: Accounts
) -> None:
    letter = desk.read(desk.present())
    desk.wait(letter)
    stranger = accounts.resident_token(town.person("乙测试").id)
    with pytest.raises(UnknownLetter):
        desk.sign(letter, token=stranger)


def test_who_did_not_read_it_does_not_sign_it(
    desk: Desk, accounts: Accounts, town: Townsfolk
) -> None:
    letter = desk.read(desk.present())
    desk.wait(letter)
    guardian = accounts.resident(town.person("丙测试").id)
    accounts.change(
        "INSERT INTO family_authority (id, resident_id, person_id, relationship, basis,"
        " recorded_by, from_on) VALUES (nextval('row_id'), :one, :person, 'child', 'guardian',"
        " '测试', DATE '2020-01-01')", one=guardian, person=desk.who.person,
    )  # fmt: skip
    token = accounts.resident_session(guardian)
    with pytest.raises(LetterUnread):
        desk.sign(letter, token=token)
    desk.read(desk.seen(letter), token=token)
    desk.wait(letter)
    assert desk.sign(letter, token=token).state == "signed"
    will = json.loads(sealed_bytes(desk, letter, "will"))
    assert will["signer"]["capacity"] in ("guardian", "delegate")
    assert will["signer"]["account"] == f"resident:{guardian}"


def doctor(desk: Desk, accounts: Accounts) -> str:
    """The session of a doctor who may apply for the person."""
    staff = accounts.staff("D100")
    token = accounts.sign_in(accounts.duty(staff, "family_doctor", str(desk.who.area)))
    accounts.change(
        "WITH c AS (INSERT INTO consent (id, person_id, purpose, text_id, version, text_sha256,"
        " channel, by) VALUES (nextval('row_id'), :person, 'delegation', 'delegation', 1, '',"
        " 'bedside', 'test') RETURNING id) INSERT INTO delegation (id, person_id, staff_id, scope,"
        " from_on, to_on, consent_id, channel, recorded_by) SELECT nextval('row_id'), :person,"
        " :staff, ARRAY['apply', 'see'], DATE '2020-01-01', DATE '2099-01-01', c.id, 'bedside',"
        " 'test' FROM c", person=desk.who.person, staff=staff,
    )  # fmt: skip
    return token


def test_at_the_bedside_it_says_whose_phone_and_by_which_delegation(
    desk: Desk, accounts: Accounts
) -> None:
    token = doctor(desk, accounts)
    letter = desk.read(desk.present(token=token), token=token)
    desk.wait(letter)
    desk.sign(letter, token=token, drawn_by="applicant")
    will = json.loads(sealed_bytes(desk, letter, "will"))
    assert will["signer"]["phone_of"] == "staff:D100"
    assert will["signer"]["capacity"] == "bedside"
    assert will["signer"]["delegation"] is not None


def test_the_letter_is_delivered_when_the_person_fetches_it_and_not_a_doctor(
    desk: Desk, accounts: Accounts
) -> None:
    letter = desk.signed()
    seal_letter(letter_id=letter.id)
    for token, state in ((doctor(desk, accounts), "sealed"), (desk.token, "delivered")):
        with desk.acting(token) as (session, actor):
            file_of(session, desk.keyring, actor, letter.id)
        assert desk.seen(letter).state == state


def test_the_same_answers_give_the_same_letter_and_others_another(desk: Desk) -> None:
    first = desk.present()
    assert desk.present().id == first.id
    other = desk.present(subject=b"\x06" * 32)
    assert other.id != first.id
    assert desk.seen(first).state == "expired"


def test_a_signed_letter_is_superseded_by_a_new_one(desk: Desk) -> None:
    first = desk.signed()
    with desk.acting() as (session, _):
        counts = letter_of(session, desk.case)
    assert counts is not None
    assert counts.subject_sha256 == SUBJECT
    second = desk.signed(subject=b"\x06" * 32)
    assert second.supersedes_id == first.id
    assert desk.seen(first).state == "signed"
    with desk.acting() as (session, _):
        counts = letter_of(session, desk.case)
        assert len(letters_of(session, desk.case)) == 2
    assert counts is not None
    assert counts.subject_sha256 == b"\x06" * 32


def test_a_refused_letter_is_not_signed(desk: Desk) -> None:
    letter = desk.read(desk.present())
    desk.wait(letter)
    with desk.acting() as (session, actor):
        refuse_letter(session, actor, letter)
    with pytest.raises(LetterDeedImpossible):
        desk.sign(letter)
    with desk.acting() as (session, _):
        assert letter_of(session, desk.case) is None


def test_a_revoked_letter_counts_no_more(desk: Desk, accounts: Accounts) -> None:
    letter = desk.signed()
    with desk.acting() as (session, actor):
        revoke_letter(session, actor, letter, "withdrawn")
        assert letter_of(session, desk.case) is None


def test_staff_of_another_place_cannot_revoke_it(desk: Desk, accounts: Accounts) -> None:
    letter = desk.signed()
    token = accounts.staff_token("county_officer", "320282")
    with pytest.raises(UnknownLetter), desk.acting(token) as (session, _):
        letter_seen(session, letter.id)
    with pytest.raises(LetterDeedImpossible), desk.acting(token) as (session, actor):
        revoke_letter(session, actor, letter, "false")


def test_after_a_week_it_expires(desk: Desk, worker_database: Engine) -> None:
    letter = desk.present()
    for day, state in (("2026-11-30", "presented"), ("2026-12-01", "expired")):
        expire_unsigned.task(period=day)
        assert desk.seen(letter).state == state
    assert DAY.isoformat() == "2026-11-23"


class Ended(BaseException):
    """As though the worker had been killed here."""


@pytest.mark.parametrize("where", ["provider", "add_part", "move"])
def test_a_worker_killed_in_the_middle_leaves_it_to_another_and_it_is_sealed_once(
    desk: Desk, worker_database: Engine, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    letter = desk.signed()

    def ends(*_: Any, **__: Any) -> None:
        raise Ended

    with monkeypatch.context() as broken:
        broken.setattr(seals if where == "provider" else tasks, where, ends)
        with pytest.raises(Ended):
            seal_letter(letter_id=letter.id)
    assert desk.seen(letter).state == "signed"
    parts = "SELECT count(*) FROM letter_part WHERE part IN ('sealed', 'evidence')"
    assert counted(desk.owner, parts) == 0
    seal_letter(letter_id=letter.id)
    seal_letter(letter_id=letter.id)
    assert desk.seen(letter).state == "sealed"
    assert counted(desk.owner, parts) == 2


def test_a_process_that_is_really_killed_while_it_seals_leaves_nothing_half_done(
    desk: Desk, worker_database: Engine, own_seal: OwnSeal, tmp_path: Path
) -> None:
    letter = desk.signed()
    child = os.fork()
    if child == 0:  # pragma: no cover
        worker_database.dispose(close=False)
        seals.bind(Killed(own_seal))
        seal_letter(letter_id=letter.id)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    assert desk.seen(letter).state == "signed"
    seal_letter(letter_id=letter.id)
    assert desk.seen(letter).state == "sealed"


class Killed:
    """Kills its process when it has sealed."""

    name = "killed"

    def __init__(self, own: OwnSeal) -> None:
        self.own = own

    def seal(self, letter: ToSeal) -> Sealed:
        self.own.seal(letter)
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError

    def attest(self, package: bytes) -> bytes:
        return self.own.attest(package)


def test_of_two_workers_at_once_one_seals(
    desk: Desk, worker_database: Engine, own_seal: OwnSeal
) -> None:
    letter = desk.signed()
    together = threading.Barrier(2, timeout=20)

    class Slow(Killed):
        def seal(self, letter: ToSeal) -> Sealed:
            together.wait()
            return self.own.seal(letter)

    faults: list[BaseException] = []

    def work() -> None:
        try:
            seal_letter(letter_id=letter.id)
        except BaseException as error:
            faults.append(error)

    with seals.bound(Slow(own_seal)):
        threads = [threading.Thread(target=work) for _ in range(2)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
    assert faults == []
    assert counted(desk.owner, "SELECT count(*) FROM letter_event WHERE deed = 'seal'") == 1
    assert counted(desk.owner, "SELECT count(*) FROM letter_part WHERE part = 'sealed'") == 1


def test_after_the_keys_changed_it_opens_as_before(
    desk: Desk, keyring: Keyring, database: Engine
) -> None:
    letter = desk.signed()
    before = sealed_bytes(desk, letter, "document")
    content = key_file.read(keyring.path).added("aes")
    key_file.write(keyring.path, replace(content, active=2))
    keyring.refresh()
    with bound(database):
        assert rotate(keyring, KEYED, lambda _: None).done > 0
    only = key_file.read(keyring.path)
    key_file.write(keyring.path, replace(only, keys=only.keys[1:]))
    keyring.refresh()
    assert sealed_bytes(desk, letter, "document") == before
    with desk.acting() as (session, _):
        cipher = cipher_of(session, keyring, letter)
        assert content_of(session, cipher, letter).applicant == "𠮷䶮㛃"
