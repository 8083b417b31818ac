"""文书的内容 (content): what one letter says, as it was when it was made. Never changed."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Final, Literal, TypeAlias

import msgspec

Size: TypeAlias = Literal["normal", "large"]
SIZES: Final = ("normal", "large")
_LETTERS: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Those that are not taken for each other."""
_CODE_LENGTH: Final = 16


@dataclass(frozen=True, slots=True)
class Said:
    """One answer, as it is printed."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class PaperNamed:
    """A paper that the letter stands for. `sha256`: of what it holds, hexadecimal."""

    title: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Expected:
    """What the applicant may expect: the amount in words, and how it comes about."""

    amount: str
    steps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LetterContent:
    """All that one letter says. `number`: masked; `by`: who signs where it is another
    (`王某（监护人）`); `supersedes`: the code of the letter that it takes the place of."""

    template: str
    version: int
    code: str
    url: str
    day: date
    applicant: str
    number: str
    area: str
    kind: str
    answers: tuple[Said, ...]
    papers: tuple[PaperNamed, ...] = ()
    expected: Expected | None = None
    by: str = ""
    supersedes: str = ""

    @property
    def sha256(self) -> bytes:
        """Of the whole, in its canonical form."""
        return hashlib.sha256(packed(self)).digest()


def new_code() -> str:
    """A code for a new letter: 80 bits, told to nobody but by the letter itself."""
    return "".join(secrets.choice(_LETTERS) for _ in range(_CODE_LENGTH))


def address_of(base: str, code: str) -> str:
    """Where anybody may check a letter; what its QR code says."""
    return f"{base.rstrip('/')}/letters/{code}"


def canonical(value: Any) -> bytes:
    """The one way to write plain values down as JSON: sorted, compact, UTF-8."""
    return msgspec.json.encode(value, order="sorted")


def packed(content: LetterContent) -> bytes:
    """The content as it is kept."""
    return canonical(asdict(content) | {"day": content.day.isoformat()})


def unpacked(data: bytes) -> LetterContent:
    """What `packed` wrote."""
    said: dict[str, Any] = msgspec.json.decode(data)
    expected = said["expected"]
    made = {
        "day": date.fromisoformat(said["day"]),
        "answers": tuple(Said(**one) for one in said["answers"]),
        "papers": tuple(PaperNamed(**one) for one in said["papers"]),
        "expected": expected and Expected(expected["amount"], tuple(expected["steps"])),
    }
    return LetterContent(**said | made)
