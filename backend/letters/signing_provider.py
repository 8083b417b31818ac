"""电子签名服务 (signing provider): what who seals is given, and gives; ours is `OwnSeal`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class ToSeal:
    """What is sealed. `shown`: the PDF as it was read; `png`: the drawing; `drawn` and `proof`: the
    hashes of the signature and of the evidence."""

    shown: bytes
    png: bytes
    drawn: bytes
    proof: bytes


@dataclass(frozen=True, slots=True)
class Sealed:
    """A sealed letter, and who sealed it. `certificate`: the hash of the seal's."""

    pdf: bytes
    sha256: bytes
    provider: str
    certificate: bytes


class SigningProvider(Protocol):
    """电子签名服务: who seals. A licensed authority's service may take the place of our own."""

    name: str

    def seal(self, letter: ToSeal) -> Sealed:
        """The sealed letter; may take long, and may raise where the service is away."""
        ...

    def attest(self, package: bytes) -> bytes:
        """A signature over the evidence."""
        ...
