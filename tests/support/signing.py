"""A case with a letter, read and signed by its applicant as the website does it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from backend.accounts.scope import Actor, act_as
from backend.kernel.crypto import Keyring
from backend.kernel.database import bound, transaction
from backend.letters.content import new_code
from backend.letters.handwriting import Drawing, Point
from backend.letters.letters import Letter, letter_seen
from backend.letters.presenting import Presenting, drawn_up, present_letter
from backend.letters.signing import (
    Environment,
    Reading,
    Signing,
    finish_reading,
    open_letter,
    sign_letter,
)
from tests.support.accounts import Accounts
from tests.support.letters import content, drawing
from tests.support.raw_cases import Applicant, applicant, raw_case
from tests.support.townsfolk import Townsfolk

SUBJECT: Final = b"\x05" * 32


@dataclass
class Desk:
    """The website at work for one applicant and one case."""

    owner: Engine
    site: Engine
    keyring: Keyring
    who: Applicant
    token: str
    case: int

    @contextmanager
    def acting(self, token: str | None = None) -> Iterator[tuple[Session, Actor]]:
        """A transaction of the website in the session of the token."""
        with bound(self.site), transaction() as session:
            actor = act_as(session, token or self.token)
            assert actor is not None
            yield session, actor

    def present(self, token: str | None = None, **more: Any) -> Letter:
        """A letter for the case."""
        given = {"subject_sha256": more.pop("subject", SUBJECT), "size": more.pop("size", "normal")}
        said = content(**{"code": new_code()} | more)
        presenting = Presenting(self.case, self.who.person, self.who.area, said, **given)
        drawn = drawn_up(presenting)
        with self.acting(token) as (session, actor):
            return present_letter(session, self.keyring, actor, presenting, drawn)

    def read(self, letter: Letter, token: str | None = None, **how: bool) -> Letter:
        """Opened, and read to its end."""
        with self.acting(token) as (session, actor):
            letter = open_letter(session, actor, letter, Reading(**how))
        with self.acting(token) as (session, actor):
            return finish_reading(session, actor, letter, Reading(**how))

    def wait(self, letter: Letter, seconds: int = 60) -> None:
        """As though it had been opened so long ago."""
        with self.owner.begin() as connection:
            connection.execute(text("SET LOCAL session_replication_role = replica"))
            connection.execute(
                text(
                    "UPDATE letter_event SET at = at - make_interval(secs => :seconds)"
                    " WHERE letter_id = :letter"
                ),
                {"seconds": seconds, "letter": letter.id},
            )

    def sign(self, letter: Letter, token: str | None = None, **more: Any) -> Letter:
        """Signed by hand."""
        with self.acting(token) as (session, actor):
            now = letter_seen(session, letter.id)
            return sign_letter(session, self.keyring, actor, now, signing(letter, **more))

    def signed(self, **more: Any) -> Letter:
        """All of it."""
        letter = self.read(self.present(**more))
        self.wait(letter)
        return self.sign(letter)

    def seen(self, letter: Letter) -> Letter:
        """As it stands."""
        with self.acting() as (session, _):
            return letter_seen(session, letter.id)


def desk(owner: Engine, site: Engine, town: Townsfolk, accounts: Accounts) -> Desk:
    """Somebody with a draft of an application."""
    person = town.person("甲测试")
    resident = accounts.resident(person.id)
    who = applicant(owner, person.id, resident)
    with owner.begin() as connection:
        case = raw_case(connection, who)
    return Desk(owner, site, town.keyring, who, accounts.resident_session(resident), case)


def strokes() -> tuple[tuple[Point, ...], ...]:
    """As the picture of `drawing` has them."""
    first = tuple(Point(50 + 10 * step, 200 - 4 * step, 30 * step, 500) for step in range(20))
    second = tuple(Point(300 + 10 * step, 60 + 5 * step, 900 + 30 * step, 0) for step in range(20))
    return (first, second)


def drawn(**more: Any) -> Drawing:
    """A signature that is taken."""
    return replace(Drawing(drawing(), strokes(), 800, 260), **more)


def signing(letter: Letter, **more: Any) -> Signing:
    """A signature of this letter."""
    environment = Environment("203.0.113.77", "MicroMessenger/8.0", "8.0.50", "HUAWEI P30")
    made = Signing(
        drawn(), letter.document_sha256.hex(), letter.nonce.hex(), environment=environment
    )
    return replace(made, **more)
