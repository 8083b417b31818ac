"""印章密钥 (seal keys): what letters are sealed, timed and attested with, and whom a check trusts.

A real seal is named by settings: its key, and its certificate with those above it. Without one, an
authority of the installation's own is made at first use, for trials: its seals show that nothing
was changed, not that a licensed authority stands behind them. Time and evidence are always signed
by keys of the installation's own.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import ClassVar, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from backend.kernel.errors import DomainError, Fault
from backend.kernel.settings import Settings

_LIFE: Final = timedelta(days=20 * 365)
_FILES: Final = ("ca.pem", "seal.key", "seal.pem", "time.key", "time.pem", "evidence.key")


class SealMissing(DomainError):
    """There is no seal that may be used here."""

    code: ClassVar[str] = "letter-seal-missing"


@dataclass(frozen=True, slots=True)
class SealKeys:
    """`chain`: the seal's certificate, then those above it but for the root; `root`: the own
    authority's certificate, which a check trusts; `own`: the seal itself is of that authority."""

    seal_key: ec.EllipticCurvePrivateKey
    chain: tuple[x509.Certificate, ...]
    time_key: ec.EllipticCurvePrivateKey
    time_cert: x509.Certificate
    evidence_key: Ed25519PrivateKey
    root: x509.Certificate
    own: bool


@dataclass(frozen=True, slots=True)
class SealFiles:
    """Where they are. `folder`: of the own ones, made at first use; `key` and `chain`: PEM files of
    a real seal; `real_only`: an own seal is not good enough."""

    folder: Path
    key: Path | None = None
    chain: Path | None = None
    real_only: bool = False


def files_of(settings: Settings) -> SealFiles:
    """Where the settings say that they are."""
    real = settings.production
    return SealFiles(settings.seal_folder, settings.seal_key, settings.seal_cert, real_only=real)


def demand_seal(files: SealFiles) -> None:
    """Raises `SealMissing` where a real seal is wanted and none is named."""
    if files.key is None and files.real_only:
        told = "还没有电子印章，不能在手机上签：请到柜台签纸质的；管理员请设置 SHUKUN_SEAL_KEY。"
        raise SealMissing(Fault("/letter", told))


def open_or_create(files: SealFiles, now: datetime) -> SealKeys:
    """The keys of the files. Raises `SealMissing`."""
    demand_seal(files)
    if not (files.folder / _FILES[0]).exists():
        _create(files.folder, now)
    own = files.folder
    key = _ec_key(files.key or own / "seal.key")
    chain = tuple(x509.load_pem_x509_certificates((files.chain or own / "seal.pem").read_bytes()))
    if chain[0].public_key() != key.public_key():
        told = "电子印章的密钥和证书不是一对：管理员请核对 SHUKUN_SEAL_KEY 和 SHUKUN_SEAL_CERT。"
        raise SealMissing(Fault("/letter", told))
    evidence = serialization.load_pem_private_key((own / "evidence.key").read_bytes(), None)
    assert isinstance(evidence, Ed25519PrivateKey)
    return SealKeys(
        seal_key=key,
        chain=chain,
        time_key=_ec_key(own / "time.key"),
        time_cert=x509.load_pem_x509_certificate((own / "time.pem").read_bytes()),
        evidence_key=evidence,
        root=x509.load_pem_x509_certificate((own / "ca.pem").read_bytes()),
        own=files.key is None,
    )


def _create(folder: Path, now: datetime) -> None:
    """All files at once: of several processes that begin together, the first one's stay."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".seal-", dir=folder.parent))
    try:
        _write_all(draft, now)
        os.rename(draft, folder)  # noqa: PTH104  (`Path.rename` says the same)
    except OSError:
        if not (folder / _FILES[0]).exists():
            raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _write_all(folder: Path, now: datetime) -> None:
    root_key, seal_key, time_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    issuer = _name("纾困 自建根证书")
    authority = _Issued(issuer, issuer, root_key.public_key(), now)
    root = _certificate(authority, root_key, ca=True)
    seal = _Issued(_name("纾困 自建电子印章"), issuer, seal_key.public_key(), now)
    clock = _Issued(_name("纾困 自建时间戳"), issuer, time_key.public_key(), now)
    stamping = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
    _write(folder / "ca.pem", root.public_bytes(serialization.Encoding.PEM))
    _write(folder / "seal.key", _pem(seal_key))
    _write(folder / "seal.pem", _certificate(seal, root_key).public_bytes(_PEM))
    _write(folder / "time.key", _pem(time_key))
    _write(folder / "time.pem", _certificate(clock, root_key, stamping).public_bytes(_PEM))
    _write(folder / "evidence.key", _pem(Ed25519PrivateKey.generate()))
    # The root's key is kept nowhere: nobody makes another seal of this authority.


_PEM: Final = serialization.Encoding.PEM


@dataclass(frozen=True, slots=True)
class _Issued:
    """For whom a certificate is."""

    subject: x509.Name
    issuer: x509.Name
    key: ec.EllipticCurvePublicKey
    now: datetime


def _certificate(
    issued: _Issued,
    by: ec.EllipticCurvePrivateKey,
    use: x509.ExtendedKeyUsage | None = None,
    *,
    ca: bool = False,
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(issued.subject)
        .issuer_name(issued.issuer)
        .public_key(issued.key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(issued.now - timedelta(days=1))
        .not_valid_after(issued.now + _LIFE)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=0 if ca else None), critical=True)
        .add_extension(_usage(ca), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(issued.key), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), critical=False
        )
    )
    if use is not None:
        builder = builder.add_extension(use, critical=True)
    return builder.sign(by, hashes.SHA256())


def _usage(ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not ca, content_commitment=not ca, key_cert_sign=ca, crl_sign=ca,
        key_encipherment=False, data_encipherment=False, key_agreement=False,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _pem(key: ec.EllipticCurvePrivateKey | Ed25519PrivateKey) -> bytes:
    plain = serialization.NoEncryption()
    return key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, plain)


def _ec_key(path: Path) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        told = "电子印章要用椭圆曲线（EC P-256）密钥：管理员请更换 SHUKUN_SEAL_KEY。"
        raise SealMissing(Fault("/letter", told))
    return key


def _write(path: Path, content: bytes) -> None:
    """Readable by its owner alone."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
