"""印章数据 (container): the seal's own bytes, every one of them checked.

A seal signs the file around it, but not itself: its version, the names of its algorithms, and the
zeros that fill its place stand outside what is signed. Here the seal is put together again from the
parts that signatures and hashes hold, in the one way in which it is written, and must come to the
same bytes. The certificates that it carries are for the check of the seal to look at.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final

from asn1crypto import algos, cms, core, tsp, x509

_TOKEN: Final = "signature_time_stamp_token"
_SIGNED: Final = "signed_data"


class ContainerChanged(Exception):
    """The seal's bytes are not as they were written; the message says where."""


def exact(contents: bytes) -> cms.ContentInfo:
    """The seal of the hexadecimal digits between the brackets, its token included.

    Raises `ContainerChanged`.
    """
    try:
        found = cms.ContentInfo.load(bytes.fromhex(contents.decode("ascii")))
        again = _seal_again(found).hex().upper().encode()
    except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise ContainerChanged("form") from error
    if not contents.startswith(again) or contents[len(again) :].strip(b"0"):
        raise ContainerChanged("bytes")
    return found


def time_of(sealed: cms.ContentInfo) -> Any:
    """The moment that the token names; not yet that it is right."""
    told = _token(sealed)["content"]["encap_content_info"]["content"].contents
    return tsp.TSTInfo.load(told)["gen_time"].native


def _token(sealed: cms.ContentInfo) -> cms.ContentInfo:
    unsigned = sealed["content"]["signer_infos"][0]["unsigned_attrs"]
    if len(unsigned) != 1 or unsigned[0]["type"].native != _TOKEN:
        raise ContainerChanged("token")
    return unsigned[0]["values"][0]


def _seal_again(sealed: cms.ContentInfo) -> bytes:
    token = cms.ContentInfo.load(_token_again(_token(sealed)))
    unsigned = cms.CMSAttributes(
        [cms.CMSAttribute({"type": _TOKEN, "values": cms.SetOfContentInfo([token])})]
    )
    inside = cms.ContentInfo({"content_type": "data"})
    return _written("v1", inside, _signer_again(sealed, unsigned), sealed)


def _token_again(token: cms.ContentInfo) -> bytes:
    told = token["content"]["encap_content_info"]["content"].contents
    inside = cms.EncapsulatedContentInfo(
        {"content_type": "tst_info", "content": core.ParsableOctetString(told)}
    )
    return _written("v3", inside, _signer_again(token, None), token)


def _written(version: str, inside: Any, signer: cms.SignerInfo, of: cms.ContentInfo) -> bytes:
    carried = [x509.Certificate.load(one.chosen.dump()) for one in of["content"]["certificates"]]
    signed = cms.SignedData(
        {
            "version": version,
            "digest_algorithms": cms.DigestAlgorithms((_sha256(),)),
            "encap_content_info": inside,
            "certificates": carried,
            "signer_infos": [signer],
        }
    )
    written: bytes = cms.ContentInfo({"content_type": _SIGNED, "content": signed}).dump()
    return written


def _signer_again(of: cms.ContentInfo, unsigned: cms.CMSAttributes | None) -> cms.SignerInfo:
    signer = of["content"]["signer_infos"][0]
    said = cms.CMSAttributes.load(signer["signed_attrs"].untag().dump())
    whose = _certificate_of(of, said)
    parts = {
        "version": "v1",
        "sid": cms.SignerIdentifier(
            {
                "issuer_and_serial_number": cms.IssuerAndSerialNumber(
                    {"issuer": whose.issuer, "serial_number": whose.serial_number}
                )
            }
        ),
        "digest_algorithm": _sha256(),
        "signature_algorithm": algos.SignedDigestAlgorithm({"algorithm": "sha256_ecdsa"}),
        "signed_attrs": said,
        "signature": signer["signature"].native,
    }
    return cms.SignerInfo(parts if unsigned is None else parts | {"unsigned_attrs": unsigned})


def _certificate_of(of: cms.ContentInfo, said: cms.CMSAttributes) -> x509.Certificate:
    """The certificate that the signed part names by its hash."""
    bound = next(one["values"] for one in said if one["type"].native == "signing_certificate_v2")
    wanted = bound[0]["certs"][0]["cert_hash"].native
    for one in of["content"]["certificates"]:
        if hashlib.sha256(one.chosen.dump()).digest() == wanted:
            return one.chosen
    raise ContainerChanged("certificate")


def _sha256() -> algos.DigestAlgorithm:
    return algos.DigestAlgorithm({"algorithm": "sha256"})
