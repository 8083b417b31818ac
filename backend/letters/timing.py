"""时间戳 (timing): an RFC 3161 token of our own: these bytes were there at this time.

It shows that nothing changed since, by a clock of ours; a service of another's may take its place.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from asn1crypto import algos, cms, core, tsp, x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pyhanko.sign.general import as_signing_certificate_v2, simple_cms_attribute
from pyhanko.sign.timestamps import TimeStamper
from pyhanko.sign.timestamps.common_utils import get_nonce

from backend.letters.seal_keys import SealKeys

POLICY: Final = "1.3.6.1.4.1.4146.2.2"
_SHA256: Final = "sha256"


class OwnTimeStamper(TimeStamper):
    """Signs the time with the installation's own key."""

    def __init__(self, keys: SealKeys, now: Callable[[], datetime]) -> None:
        super().__init__(include_nonce=True)  # type: ignore[no-untyped-call]
        self._key = keys.time_key
        raw = keys.time_cert.public_bytes(serialization.Encoding.DER)
        self._cert = x509.Certificate.load(raw)
        self._now = now

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        """The token that is asked for."""
        told = self._told(req).dump()
        attributes = self._attributes(told)
        signature = self._key.sign(attributes.dump(), ec.ECDSA(hashes.SHA256()))
        token = self._token(told, attributes, signature)
        return tsp.TimeStampResp({"status": {"status": "granted"}, "time_stamp_token": token})

    def _told(self, req: tsp.TimeStampReq) -> tsp.TSTInfo:
        told: dict[str, Any] = {
            "version": "v1",
            "policy": POLICY,
            "message_imprint": req["message_imprint"],
            "serial_number": get_nonce(),
            "gen_time": self._now().replace(microsecond=0),
            "tsa": x509.GeneralName(name="directory_name", value=self._cert.subject),
        }
        if req["nonce"].native is not None:
            told["nonce"] = req["nonce"]
        return tsp.TSTInfo(told)

    def _attributes(self, told: bytes) -> cms.CMSAttributes:
        digest = hashes.Hash(hashes.SHA256())
        digest.update(told)
        return cms.CMSAttributes(
            [
                simple_cms_attribute("content_type", "tst_info"),
                simple_cms_attribute("message_digest", digest.finalize()),
                simple_cms_attribute(
                    "signing_certificate_v2", as_signing_certificate_v2(self._cert, _SHA256)
                ),
            ]
        )

    def _token(self, told: bytes, attributes: cms.CMSAttributes, signature: bytes) -> Any:
        digest = algos.DigestAlgorithm({"algorithm": _SHA256})
        whose = cms.IssuerAndSerialNumber(
            {"issuer": self._cert.issuer, "serial_number": self._cert.serial_number}
        )
        signer = cms.SignerInfo(
            {
                "version": "v1",
                "sid": cms.SignerIdentifier({"issuer_and_serial_number": whose}),
                "digest_algorithm": digest,
                "signature_algorithm": algos.SignedDigestAlgorithm({"algorithm": "sha256_ecdsa"}),
                "signed_attrs": attributes,
                "signature": signature,
            }
        )
        inside = cms.EncapsulatedContentInfo(
            {"content_type": "tst_info", "content": core.ParsableOctetString(told)}
        )
        signed = cms.SignedData(
            {
                "version": "v3",
                "digest_algorithms": cms.DigestAlgorithms((digest,)),
                "encap_content_info": inside,
                "certificates": [self._cert],
                "signer_infos": [signer],
            }
        )
        return cms.ContentInfo({"content_type": "signed_data", "content": signed})
