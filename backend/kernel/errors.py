"""错误 (errors): what the domain refuses, by name; the words and the status belong to the API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with the input.

    `pointer`: JSON pointer into the input (`/bills/0/total`); `detail`: a Chinese sentence that
    tells the person what to do.
    """

    pointer: str
    detail: str


class CannotRun(Exception):
    """Something that a command needs is not there; the message is a Chinese sentence that says what
    to do."""


class DomainError(Exception):
    """Base of all refusals. `code` is stable and names the refusal to other programs."""

    code: ClassVar[str]

    def __init__(self, *faults: Fault) -> None:
        super().__init__(self.code)
        self.faults = faults
