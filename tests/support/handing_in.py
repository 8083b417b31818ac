"""A case of somebody's, and papers handed in for it as the mini-program does: piece by piece."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final, TypeVar

from PIL import Image
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from backend.accounts.scope import Actor, act_as
from backend.kernel.crypto import Keyring
from backend.kernel.database import bound, transaction
from backend.papers import tasks
from backend.papers.handing_in import NewPaper, Piece, begin_paper, finish_paper, put_piece
from backend.papers.papers import PIECE_BYTES, Paper, show_paper
from backend.papers.tables import PAPER
from tests.support.raw_cases import Applicant, force_state, raw_case
from tests.support.townsfolk import Townsfolk, Townsman

MOST: Final = 10 * 1024 * 1024
_KEYS: Final = count(1)
_DELEGATION: Final = text(
    "WITH agreed AS (INSERT INTO consent (id, person_id, purpose, text_id, version, text_sha256,"
    " channel, by) VALUES (nextval('row_id'), :person, 'delegation', 'delegation', 1,"
    " sha256('x'), 'counter', '测试') RETURNING id)"
    " INSERT INTO delegation (id, person_id, staff_id, scope, from_on, to_on, consent_id, channel,"
    " recorded_by) SELECT nextval('row_id'), :person, :staff, :scope, DATE '2020-01-01',"
    " DATE '2099-01-01', agreed.id, 'counter', '测试' FROM agreed"
)
T = TypeVar("T")


def photo(width: int = 640, height: int = 480, seed: int = 0, **more: Any) -> bytes:
    """A JPEG of a paper that nobody has: another one for each seed."""
    picture = Image.linear_gradient("L").resize((width, height)).convert("RGB")
    picture.paste((seed % 256, seed // 256 % 256, 128), (0, 0, width // 2, height // 2))
    written = io.BytesIO()
    picture.save(written, "JPEG", **more)
    return written.getvalue()


def long_photo(least: int = 3 * PIECE_BYTES) -> bytes:
    """A JPEG that comes in several pieces."""
    written = io.BytesIO()
    Image.effect_noise((1700, 1300), 80).convert("RGB").save(written, "JPEG", quality=95)
    assert least < len(written.getvalue()) < MOST
    return written.getvalue()


def cut(data: bytes) -> list[bytes]:
    """Its pieces, the first of number 1."""
    return [data[at : at + PIECE_BYTES] for at in range(0, len(data), PIECE_BYTES)]


@dataclass
class HandingIn:
    """Somebody with a draft, who hands papers in as the site's session."""

    site: Engine
    worker: Engine
    town: Townsfolk
    who: Townsman
    resident: int
    token: str
    case: int
    tokens: dict[str, str] = field(default_factory=dict)

    def acting(self, deed: Callable[[Session, Actor], T], token: str | None = None) -> T:
        """The deed in a transaction of the session."""
        with bound(self.site), transaction() as session:
            actor = act_as(session, self.token if token is None else token)
            assert actor is not None
            return deed(session, actor)

    def begin(self, data: bytes, token: str | None = None, **more: Any) -> Paper:
        values: dict[str, Any] = {
            "application_id": self.case, "kind": "photo_of_card", "size": len(data),
            "sha256": hashlib.sha256(data).digest(), "key": f"test-key-{next(_KEYS):08d}",
        }  # fmt: skip
        new = NewPaper(**(values | more))
        return self.acting(lambda session, actor: begin_paper(session, actor, new, MOST), token)

    def put(self, paper: int, number: int, data: bytes, token: str | None = None) -> Paper:
        piece = Piece(paper, number, data)
        return self.acting(
            lambda session, actor: put_piece(session, self.town.keyring, actor, piece), token
        )

    def finish(self, paper: int, token: str | None = None) -> Paper:
        return self.acting(
            lambda session, actor: finish_paper(session, self.town.keyring, actor, paper), token
        )

    def whole(self, data: bytes, token: str | None = None, **more: Any) -> int:
        """Begun, all pieces put, finished; the paper."""
        paper = self.begin(data, token, **more).id
        for number, piece in enumerate(cut(data), start=1):
            self.put(paper, number, piece, token)
        self.finish(paper, token)
        return paper

    def clean(self, paper: int) -> None:
        """What a worker does with it."""
        with bound(self.worker):
            tasks.clean_paper(paper)

    def handed_in(self, data: bytes, token: str | None = None, **more: Any) -> int:
        """The whole way; the paper."""
        paper = self.whole(data, token, **more)
        self.clean(paper)
        return paper

    def show(self, paper: int, token: str | None = None) -> Paper:
        return self.acting(lambda session, actor: show_paper(session, actor, paper), token)

    def state(self, paper: int) -> str:
        with Session(self.worker) as session:
            query = PAPER.select().where(PAPER.c.id == paper)
            return str(session.execute(query).one().state)

    def rows(self, statement: str, **values: Any) -> Sequence[Any]:
        """As the database's owner."""
        with Session(self.town.engine) as session:
            return session.execute(text(statement), values).all()

    def case_in(self, state: str) -> None:
        """As though the case had come there."""
        with self.town.engine.begin() as connection:
            force_state(connection, self.case, state)

    def helper(self, *scope: str, role: str = "cadre") -> str:
        """A member of staff to whom it was delegated; the token."""
        accounts = self.town.accounts
        staff = accounts.staff()
        with Session(self.town.engine) as session, session.begin():
            values = {"person": self.who.id, "staff": staff, "scope": list(scope)}
            session.execute(_DELEGATION, values)
        return accounts.sign_in(accounts.duty(staff, role, "330382"))


@contextmanager
def engines(site: Engine, worker: Engine) -> Iterator[tuple[Engine, Engine]]:
    """Both, closed at the end."""
    try:
        yield site, worker
    finally:
        site.dispose()
        worker.dispose()


def draft_of(town: Townsfolk, who: Townsman, resident: int) -> int:
    """A draft of the person's, begun by the account."""
    with town.engine.begin() as connection:
        area = connection.execute(
            text("SELECT area FROM person WHERE id = :id"), {"id": who.id}
        ).scalar_one()
        return raw_case(connection, Applicant(who.id, resident, int(area)))


def keyring_of(folder: Any) -> Keyring:
    """Keys of the test's own."""
    return Keyring.open_or_create(folder / "keys.json")
