"""证据包 (evidence): what was signed, by whom, how, when: one canonical text, signed by the server.

Its hash stands in the seal of the letter, so that neither can be exchanged for another.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from backend.letters.content import canonical
from backend.letters.letters import Event, Letter
from backend.letters.signing_provider import SigningProvider

FORMAT: Final = "shukun-letter-evidence-1"


@dataclass(frozen=True, slots=True)
class Package:
    """The evidence before it is signed. `drawn`: the hash of the signature."""

    text: bytes
    drawn: bytes

    @property
    def sha256(self) -> bytes:
        """What the letter's seal names."""
        return hashlib.sha256(self.text).digest()

    def attested(self, by: SigningProvider) -> bytes:
        """As it is kept: with a signature over it."""
        return canonical({"package": self.text.decode(), "signature": by.attest(self.text).hex()})


def package_of(
    letter: Letter, content: Mapping[str, Any], will: Mapping[str, Any], events: Sequence[Event]
) -> Package:
    """Everything known of a signed letter."""
    text = canonical(
        {
            "format": FORMAT,
            "letter": {
                "code": letter.code, "template": letter.template, "version": letter.version,
                "size": letter.size, "language": "zh-CN", "renderer": f"typst {version('typst')}",
                "application": letter.application_id, "supersedes": letter.supersedes_id,
                "subject_sha256": letter.subject_sha256.hex(),
                "content_sha256": letter.content_sha256.hex(),
                "document_sha256": letter.document_sha256.hex(),
            },
            "content": content,
            "will": will,
            "events": [
                {"deed": one.deed, "at": one.at.isoformat(), "by": one.by, "detail": one.detail}
                for one in events
            ],
        }
    )  # fmt: skip
    return Package(text, bytes.fromhex(will["drawing_sha256"]))


def opened(evidence: bytes, key: Ed25519PublicKey) -> tuple[dict[str, Any], bytes]:
    """The package and its hash. Raises `InvalidSignature` (of cryptography) for another's."""
    kept = msgspec.json.decode(evidence)
    text = kept["package"].encode()
    key.verify(bytes.fromhex(kept["signature"]), text)
    package: dict[str, Any] = msgspec.json.decode(text)
    return package, hashlib.sha256(text).digest()
