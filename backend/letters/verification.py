"""验真 (verification): whether a sealed letter is as it was sealed, by whom and when.

Nothing but the file and the certificates that are trusted is needed: anybody can do it, without the
program's database.
"""

from __future__ import annotations

import hashlib
import io
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from asn1crypto import x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

from backend.kernel.clock import CHINA
from backend.letters.container import ContainerChanged, exact, time_of
from backend.letters.sealing import REASON

_RANGES: Final = 4
_QUIET: Final = ("pyhanko", "pyhanko_certvalidator")


class NotALetter(Exception):
    """The file is no PDF at all. The message is a Chinese sentence."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was checked."""

    right: bool
    said: str


@dataclass(slots=True)
class Verdict:
    """What was found. `shown`, `drawn`, `proof`: the hashes that the seal names, hexadecimal."""

    findings: list[Finding] = field(default_factory=list)
    sealed_at: datetime | None = None
    by: str = ""
    shown: str = ""
    drawn: str = ""
    proof: str = ""

    @property
    def genuine(self) -> bool:
        """Whether everything is as it must be."""
        return bool(self.findings) and all(one.right for one in self.findings)

    def note(self, right: bool, good: str, bad: str) -> bool:
        """Write a finding down; whether it is right."""
        self.findings.append(Finding(right, good if right else bad))
        return right


def verify(data: bytes, trusted: Sequence[x509.Certificate]) -> Verdict:
    """Check a file against the trusted authorities. Raises `NotALetter`."""
    if b"%PDF-" not in data[:1024]:
        raise NotALetter("这不是 PDF 文件：请选纾困发出的承诺书原件，不要用截图或复印件。")
    verdict = Verdict()
    for name in _QUIET:  # it tells on its own what is wrong with a file
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        _check(data, trusted, verdict)
    except Exception as error:
        # A file of unknown origin can break its reader in any way: broken it is not genuine.
        verdict.note(False, "", f"文件坏了，读不出来（{type(error).__name__}）：被改过或没有传完。")
    return verdict


def _check(data: bytes, trusted: Sequence[x509.Certificate], verdict: Verdict) -> None:
    reader = PdfFileReader(io.BytesIO(data), strict=True)
    seals = reader.embedded_signatures
    if not verdict.note(
        len(seals) == 1, "有一枚电子印章。", f"应当有一枚电子印章，这里有 {len(seals)} 枚。"
    ):
        return
    seal = seals[0]
    if not _covers_all(data, seal, verdict):
        return
    try:
        start, end = seal.byte_range[1] + 1, seal.byte_range[2] - 1
        container = exact(data[start:end])
    except ContainerChanged as error:
        verdict.note(False, "", f"印章本身的数据被改过（{error}）。")
        return
    verdict.sealed_at = time_of(container)
    _check_seal(seal, trusted, verdict)
    _check_shown(data, seal, verdict)


def _covers_all(data: bytes, seal: Any, verdict: Verdict) -> bool:
    """The seal covers the whole file but its own place, and nothing was appended."""
    said = [int(one) for one in seal.byte_range]
    first, length, second, rest = said if len(said) == _RANGES else (1, 0, 0, 0)
    whole = first == 0 and second + rest == len(data) and 0 < length < second
    brackets = data[length : length + 1] + data[second - 1 : second]
    return verdict.note(
        whole and brackets == b"<>" and seal.reader.xrefs.total_revisions == 2,
        "印章管到整个文件，后面没有再加东西。",
        "印章没有管到整个文件：签完以后，有人加过、删过内容，或文件没有传完。",
    )


def _check_seal(seal: Any, trusted: Sequence[x509.Certificate], verdict: Verdict) -> None:
    def context() -> ValidationContext:
        # As of the sealing: certificates may be over by now. The token's own signature says when.
        return ValidationContext(
            trust_roots=list(trusted), allow_fetching=False, moment=verdict.sealed_at
        )

    status = validate_pdf_signature(seal, context(), context(), skip_diff=True)
    covered = status.coverage == SignatureCoverageLevel.ENTIRE_FILE
    if not verdict.note(
        bool(status.intact and status.valid and covered),
        "盖章以后一个字也没有改过。",
        "盖章以后被改过，或者印章不是对着这个文件盖的：是谁盖的，看不出来了。",
    ):  # of a seal that does not fit, nobody says whose it is or when it was set
        return
    verdict.by = str(status.signing_cert.subject.human_friendly)
    verdict.note(
        bool(status.trusted and _all_used(seal, status)),
        f"印章是真的：{verdict.by}。",
        "印章不是您信任的机构盖的：可能是别人仿做的，请核对证书（--trust）。",
    )
    timed = status.timestamp_validity
    verdict.note(
        bool(timed is not None and timed.intact and timed.valid and timed.trusted),
        f"盖章的时间是真的：{_moment(verdict)}。",
        "盖章的时间不可信。",
    )


def _all_used(seal: Any, status: Any) -> bool:
    """Whether every certificate that the seal carries leads to the trusted one: of the others
    nothing says what they were."""
    path = {one.dump() for one in status.validation_path}
    return all(one.dump() in path for one in (seal.signer_cert, *seal.other_embedded_certs))


def _check_shown(data: bytes, seal: Any, verdict: Verdict) -> None:
    """What was read and signed is the beginning of the file."""
    named = REASON.search(str(seal.sig_object.get("/Reason", "")))
    if named is None:
        verdict.note(False, "", "这枚印章不是盖承诺书用的。")
        return
    verdict.shown, verdict.drawn, verdict.proof = named["shown"], named["drawn"], named["proof"]
    shown = hashlib.sha256(data[: int(named["length"])]).hexdigest()
    verdict.note(
        shown == verdict.shown,
        f"签名前看到的原文没有变（sha256 {verdict.shown}）。",
        "签名前看到的原文，和这个文件里的不一样。",
    )


def _moment(verdict: Verdict) -> str:
    if verdict.sealed_at is None:
        return "不明"
    return f"{verdict.sealed_at.astimezone(CHINA):%Y-%m-%d %H:%M:%S}（北京时间）"
