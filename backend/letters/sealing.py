"""加盖 (sealing): the drawn signature put into its box, the whole sealed (PAdES) with its time.

What was shown stays as it was, byte for byte, at the beginning of the file: the signature and the
seal are appended. The seal's reason names the hashes of what was shown, of the signature, and of
the evidence, so that each can be told from another's.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Callable
from datetime import datetime
from typing import Final

from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives import serialization
from PIL import Image
from pyhanko.pdf_utils.images import PdfImage
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers
from pyhanko.stamp import StaticStampStyle
from pyhanko_certvalidator.registry import SimpleCertificateStore

from backend.letters.seal_keys import SealKeys
from backend.letters.signing_provider import Sealed, ToSeal
from backend.letters.timing import OwnTimeStamper

_MM: Final = 72 / 25.4
BOX: Final = (22 * _MM, 24 * _MM, 102 * _MM, 50 * _MM)
"""Left, bottom, right, top of the signature's box on the last page, in points: as `letter.typ`
draws it."""
_BOX: Final = (round(BOX[0]), round(BOX[1]), round(BOX[2]), round(BOX[3]))
FIELD: Final = "Seal"
_REASON: Final = (
    "承诺人手写签名后加盖。原文 {length} 字节 sha256:{shown}"
    " 签名 sha256:{drawn} 证据 sha256:{proof}"
)
REASON: Final = re.compile(
    r"原文 (?P<length>\d{1,9}) 字节 sha256:(?P<shown>[0-9a-f]{64})"
    r" 签名 sha256:(?P<drawn>[0-9a-f]{64}) 证据 sha256:(?P<proof>[0-9a-f]{64})$"
)


class OwnSeal:
    """Seals with keys of the installation: see `seal_keys`."""

    def __init__(self, keys: SealKeys, now: Callable[[], datetime]) -> None:
        self.name = "own-test" if keys.own else "own"
        self._keys = keys
        self._now = now

    def seal(self, letter: ToSeal) -> Sealed:
        """The sealed letter."""
        pdf = _signed(letter, self._keys, self._now)
        certificate = self._keys.chain[0].public_bytes(serialization.Encoding.DER)
        return Sealed(
            pdf, hashlib.sha256(pdf).digest(), self.name, hashlib.sha256(certificate).digest()
        )

    def attest(self, package: bytes) -> bytes:
        """An Ed25519 signature."""
        return self._keys.evidence_key.sign(package)


def reason_of(letter: ToSeal) -> str:
    """What the seal says of itself."""
    return _REASON.format(
        length=len(letter.shown), shown=hashlib.sha256(letter.shown).hexdigest(),
        drawn=letter.drawn.hex(), proof=letter.proof.hex(),
    )  # fmt: skip


def _signed(letter: ToSeal, keys: SealKeys, now: Callable[[], datetime]) -> bytes:
    writer = IncrementalPdfFileWriter(io.BytesIO(letter.shown))
    told = signers.PdfSignatureMetadata(
        field_name=FIELD, md_algorithm="sha256", reason=reason_of(letter),
        subfilter=fields.SigSeedSubFilter.PADES, embed_validation_info=False,
    )  # fmt: skip
    signer = signers.PdfSigner(
        told,
        signer=_signer(keys),
        timestamper=OwnTimeStamper(keys, now),
        stamp_style=StaticStampStyle(
            background=PdfImage(_flat(letter.png)), background_opacity=1.0, border_width=0
        ),
        new_field_spec=fields.SigFieldSpec(FIELD, on_page=-1, box=_BOX),
    )
    out = signer.sign_pdf(writer)
    return bytes(out.getbuffer())


def _signer(keys: SealKeys) -> signers.SimpleSigner:
    chain = [
        asn1_x509.Certificate.load(one.public_bytes(serialization.Encoding.DER))
        for one in keys.chain
    ]
    plain = keys.seal_key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return signers.SimpleSigner(
        signing_cert=chain[0], signing_key=asn1_keys.PrivateKeyInfo.load(plain),
        cert_registry=SimpleCertificateStore.from_certs(chain[1:]),
    )  # fmt: skip


def _flat(png: bytes) -> Image.Image:
    """The drawing in shades of grey on white."""
    drawing = Image.open(io.BytesIO(png), formats=["PNG"]).convert("RGBA")
    paper = Image.new("RGBA", drawing.size, "white")
    return Image.alpha_composite(paper, drawing).convert("L")
