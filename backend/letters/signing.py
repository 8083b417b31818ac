"""签署 (signing): a letter opened, read to its end, and signed by hand; by whom, and how known.

Each moment is by the server's clock. What is drawn counts only for the letter that was shown, by
its hash and its nonce, after it was read to the end and for as long as reading takes.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Final, Literal, TypeAlias

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from backend.accounts.authority import people_spoken_for
from backend.accounts.scope import Actor
from backend.accounts.tables import DELEGATION
from backend.kernel.crypto import Keyring
from backend.kernel.errors import DomainError, Fault
from backend.kernel.jobs import defer
from backend.letters.content import canonical
from backend.letters.handwriting import Drawing, check_drawing
from backend.letters.letters import Event, Letter, add_part, cipher_of, events_of, impossible, move
from backend.letters.moves import OPEN, STANDING
from backend.letters.tables import LETTER_PART
from backend.letters.tasks import seal_letter
from backend.letters.wording import template_of

_METHOD: Final = text("SELECT own_identity_method()")
DrawnBy: TypeAlias = Literal["applicant", "proxy"]


class LetterUnread(DomainError):
    """The letter was not opened, not read to its end, or not long enough."""

    code: ClassVar[str] = "letter-unread"


class LetterOutdated(DomainError):
    """What was signed is not the letter that was shown."""

    code: ClassVar[str] = "letter-outdated"


@dataclass(frozen=True, slots=True)
class Environment:
    """From where it is signed. Nothing by which a device could be told from all others."""

    ip: str = ""
    user_agent: str = ""
    wechat: str = ""
    device: str = ""

    @property
    def told(self) -> dict[str, str]:
        """As it is kept: the network without its last part."""
        return asdict(self) | {"ip": _masked(self.ip)}


@dataclass(frozen=True, slots=True)
class Reading:
    """How it was read: aloud by the program; in the mode for the elderly."""

    read_aloud: bool = False
    elder_mode: bool = False


@dataclass(frozen=True, slots=True)
class Signing:
    """A signature. `shown_sha256` and `nonce`: of the letter that the phone showed, hexadecimal;
    `drawn_by`: the applicant, also on another's phone, or who signs for the applicant."""

    drawing: Drawing
    shown_sha256: str
    nonce: str
    drawn_by: DrawnBy = "applicant"
    environment: Environment = field(default_factory=Environment)


def open_letter(session: Session, actor: Actor, letter: Letter, reading: Reading) -> Letter:
    """The page was opened; with the first time it is settled who reads, and how that is known.

    Raises `LetterDeedImpossible`, `LetterMoved`.
    """
    if letter.state == "presented":
        letter = confirm_identity(session, actor, letter)
    return move(session, letter, "open", actor, asdict(reading))


def confirm_identity(session: Session, actor: Actor, letter: Letter) -> Letter:
    """Settle who is there, and how that is known. Raises `LetterDeedImpossible`, `LetterMoved`."""
    return move(session, letter, "identify", actor, _identity(session, actor, letter))


def finish_reading(session: Session, actor: Actor, letter: Letter, reading: Reading) -> Letter:
    """The end of the page was reached. Raises `LetterUnread`, `LetterDeedImpossible`,
    `LetterMoved`.
    """
    if not any(one.deed == "open" for one in _own(events_of(session, letter), actor)):
        raise _unread("请先打开文书，看到最后，再签名。")
    return move(session, letter, "read", actor, asdict(reading))


def sign_letter(
    session: Session, keyring: Keyring, actor: Actor, letter: Letter, signing: Signing
) -> Letter:
    """Take the signature, and leave the sealing to a worker; the same one sent again is taken as
    the first. Opened and read by the same account.

    Raises `SignatureWrong`, `LetterOutdated`, `LetterUnread`, `LetterDeedImpossible`,
    `LetterMoved`.
    """
    if letter.state in STANDING and _sent_before(session, letter, signing):
        return letter
    if letter.state not in OPEN:
        raise impossible(letter)
    check_drawing(signing.drawing)
    shown = (letter.document_sha256.hex(), letter.nonce.hex())
    if (signing.shown_sha256, signing.nonce) != shown:
        raise LetterOutdated(Fault("/shown_sha256", "文书有了新的内容：请重新打开，看过再签。"))
    now: datetime = session.execute(select(func.clock_timestamp())).scalar_one()
    times = _times(session, actor, letter, now)
    will = _will(session, actor, letter, signing, times)
    cipher = cipher_of(session, keyring, letter)
    add_part(session, cipher, letter, "signature", signing.drawing.png)
    add_part(session, cipher, letter, "will", canonical(will))
    told = {"bound": will["bound_sha256"], "drawn": signing.drawing.sha256.hex()}
    signed = move(session, letter, "sign", actor, told)
    defer(session, seal_letter, letter_id=letter.id)
    return signed


def _will(
    session: Session, actor: Actor, letter: Letter, signing: Signing, times: Mapping[str, Any]
) -> dict[str, Any]:
    """How it was read and signed, for the evidence."""
    bound = hashlib.sha256(
        letter.document_sha256 + signing.drawing.sha256 + actor.label.encode()
        + str(times["signed_at"]).encode() + letter.nonce
    )  # fmt: skip
    return {
        "agreed": {"template": letter.template, "version": letter.version},
        "shown_sha256": letter.document_sha256.hex(),
        "nonce": letter.nonce.hex(),
        "drawing": signing.drawing.told,
        "drawing_sha256": signing.drawing.sha256.hex(),
        "drawn_by": signing.drawn_by,
        "signer": {"account": actor.label, **_identity(session, actor, letter)},
        "environment": signing.environment.told,
        "times": dict(times),
        "bound_sha256": bound.hexdigest(),
    }


def _times(session: Session, actor: Actor, letter: Letter, now: datetime) -> dict[str, Any]:
    """When it was opened, read to its end and signed. Raises `LetterUnread`."""
    mine = _own(events_of(session, letter), actor)
    opened = next((one for one in mine if one.deed == "open"), None)
    read = next((one for one in mine if one.deed == "read"), None)
    if opened is None or read is None:
        raise _unread("请先打开文书，看到最后，再签名。")
    least = template_of(letter.template, letter.version).least_seconds
    seconds = int((now - opened.at).total_seconds())
    if seconds < least:
        raise _unread(f"看得太快了：请再看一看，至少还要 {least - seconds} 秒。")
    return {
        "opened_at": opened.at.isoformat(), "read_at": read.at.isoformat(),
        "signed_at": now.isoformat(), "seconds": seconds,
        "read_aloud": any(one.detail.get("read_aloud") for one in mine),
        "elder_mode": any(one.detail.get("elder_mode") for one in mine),
    }  # fmt: skip


def _own(events: list[Event], actor: Actor) -> list[Event]:
    return [one for one in events if one.by == actor.label]


def _identity(session: Session, actor: Actor, letter: Letter) -> dict[str, Any]:
    """As whom somebody signs, and how it is known who they are."""
    if actor.resident_id is None:
        return {
            "capacity": "bedside", "method": "seen_by_staff", "phone_of": actor.label,
            "delegation": _delegation(session, actor, letter),
        }  # fmt: skip
    known = session.execute(_METHOD).scalar_one()
    capacity = _capacity(session, actor, letter)
    return {"capacity": capacity, "level": actor.level, "method": known or "register"}


def _capacity(session: Session, actor: Actor, letter: Letter) -> str:
    if actor.person_id == letter.person_id:
        return "self"
    return "guardian" if letter.person_id in people_spoken_for(session) else "delegate"


def _delegation(session: Session, actor: Actor, letter: Letter) -> int | None:
    """By which delegation staff help at the bedside."""
    query = (
        select(DELEGATION.c.id)
        .where(DELEGATION.c.staff_id == actor.staff_id, DELEGATION.c.ended_at.is_(None))
        .where(DELEGATION.c.person_id == letter.person_id)
        .where(DELEGATION.c.scope.contains(["apply"]))
        .order_by(DELEGATION.c.id.desc())
    )
    found: int | None = session.execute(query.limit(1)).scalar_one_or_none()
    return found


def _sent_before(session: Session, letter: Letter, signing: Signing) -> bool:
    drawn = hashlib.sha256(signing.drawing.png).digest()
    mine = (LETTER_PART.c.letter_id == letter.id) & (LETTER_PART.c.part == "signature")
    kept = session.execute(select(LETTER_PART.c.sha256).where(mine)).scalar_one_or_none()
    return kept is not None and bytes(kept) == drawn and signing.nonce == letter.nonce.hex()


def _unread(told: str) -> LetterUnread:
    return LetterUnread(Fault("/letter", told))


_KEPT_BITS: Final = {4: 24, 6: 48}


def _masked(ip: str) -> str:
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return ""
    return str(ipaddress.ip_network((address, _KEPT_BITS[address.version]), strict=False))
