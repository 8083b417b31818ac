"""Whatever is done to a sealed letter is found, by ours and by others' programs."""

from __future__ import annotations

import hashlib
import io
import os
import random
import re
import shutil
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest
import time_machine
from asn1crypto import cms, pem, x509
from cryptography.hazmat.primitives import serialization
from pyhanko.pdf_utils.generic import pdf_name, pdf_string
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import fields, signers

from backend.kernel import clock
from backend.letters.rendering import render
from backend.letters.seal_keys import SealFiles, SealKeys, SealMissing, open_or_create
from backend.letters.sealing import OwnSeal, _signer
from backend.letters.signing_provider import ToSeal
from backend.letters.verification import NotALetter, Verdict, verify
from tests.support.letters import content, drawing, seal_keys, sealed_letter, trusted

CHANGES: Final = int(os.environ.get("SHUKUN_LETTER_CHANGES", "300"))
"""Single bytes changed; the release check changes more."""


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> SealKeys:
    return seal_keys(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def letter(keys: SealKeys) -> bytes:
    return sealed_letter(keys)


@pytest.fixture
def check(keys: SealKeys) -> Callable[[bytes], Verdict]:
    return lambda data: verify(data, trusted(keys))


def place_of_seal(letter: bytes) -> tuple[int, int]:
    """Where the seal's digits stand."""
    start = letter.rindex(b"/Contents <") + len(b"/Contents <")
    return start, letter.index(b">", start)


def wrong(verdict: Verdict) -> str:
    return " ".join(one.said for one in verdict.findings if not one.right)


def test_a_sealed_letter_is_genuine(letter: bytes, check: Callable[[bytes], Verdict]) -> None:
    verdict = check(letter)
    assert verdict.genuine, wrong(verdict)
    assert verdict.sealed_at is not None
    assert abs((clock.now() - verdict.sealed_at).total_seconds()) < 600
    assert verdict.drawn == "01" * 32
    assert verdict.proof == "02" * 32


def test_what_was_read_is_the_beginning_of_what_is_sealed(
    letter: bytes, check: Callable[[bytes], Verdict]
) -> None:
    shown = render(content())
    assert letter.startswith(shown.pdf)
    assert check(letter).shown == shown.sha256.hex()


def changed(letter: bytes, place: int, dice: random.Random) -> bytes:
    made = bytearray(letter)
    made[place] ^= dice.randrange(1, 256)
    return bytes(made)


def places(letter: bytes, dice: random.Random) -> list[int]:
    """A third in the seal itself, a third in what was appended, a third anywhere."""
    start, end = place_of_seal(letter)
    digits = end - letter[start:end].count(b"0", -2000)
    appended = letter.rindex(b"startxref", 0, start)
    third = CHANGES // 3
    return [
        *(dice.randrange(start - 1, end + 1) for _ in range(third // 2)),
        *(dice.randrange(start - 1, min(digits, start + 3900)) for _ in range(third - third // 2)),
        *(dice.randrange(appended, len(letter)) for _ in range(third)),
        *(dice.randrange(len(letter)) for _ in range(CHANGES - 2 * third)),
    ]


def test_every_changed_byte_is_found(letter: bytes, check: Callable[[bytes], Verdict]) -> None:
    dice = random.Random(20261123)
    unseen = [
        place for place in places(letter, dice) if check(changed(letter, place, dice)).genuine
    ]
    assert unseen == []


def test_a_changed_letter_is_not_said_to_bear_another_s_seal(
    letter: bytes, check: Callable[[bytes], Verdict]
) -> None:
    made = bytearray(letter)
    made[letter.index(b"stream") + 40] ^= 1
    said = wrong(check(bytes(made)))
    assert "盖章以后被改过" in said
    assert "不是您信任的机构" not in said


def test_a_check_of_the_signature_alone_would_miss_some(keys: SealKeys, letter: bytes) -> None:
    """The control: this is why coverage and the seal's own bytes are checked."""
    assert signature_alone(letter, keys)
    assert signature_alone(appended(letter), keys)
    _, end = place_of_seal(letter)
    filled = letter[: end - 2] + b"01" + letter[end:]
    assert signature_alone(filled, keys)


def signature_alone(data: bytes, keys: SealKeys) -> bool:
    """What a careless program looks at: the digest of what the seal says that it covers."""
    seal = PdfFileReader(io.BytesIO(data), strict=False).embedded_signatures[0]
    first, length, second, rest = (int(one) for one in seal.byte_range)
    covered = data[first : first + length] + data[second : second + rest]
    signed = seal.signer_info["signed_attrs"]
    told = next(one["values"][0].native for one in signed if one["type"].native == "message_digest")
    return bool(told == hashlib.sha256(covered).digest())


def appended(letter: bytes) -> bytes:
    """Another page's words, added behind the seal."""
    writer = IncrementalPdfFileWriter(io.BytesIO(letter))
    writer.root[pdf_name("/Lang")] = pdf_string("zh")
    writer.update_root()
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


@pytest.mark.parametrize(
    "how",
    [
        lambda one: appended(one),
        lambda one: one + b"\n",
        lambda one: one + b"%%EOF\n",
        lambda one: one[:-1],
        lambda one: one[:-200],
        lambda one: one[: len(one) // 2],
        lambda one: b"\n" + one,
        lambda one: one.replace(b"\xe6", b"\xe5", 1),
    ],
)
def test_what_is_added_or_cut_off_is_found(
    letter: bytes, check: Callable[[bytes], Verdict], how: Callable[[bytes], bytes]
) -> None:
    assert not check(how(letter)).genuine


def test_what_was_read_without_its_seal_is_not_genuine(
    letter: bytes, check: Callable[[bytes], Verdict]
) -> None:
    first = letter[: letter.index(b"%%EOF") + 6]
    assert "0 枚" in wrong(check(first))


def test_a_second_seal_is_found(
    keys: SealKeys, letter: bytes, check: Callable[[bytes], Verdict]
) -> None:
    writer = IncrementalPdfFileWriter(io.BytesIO(letter))
    told = signers.PdfSignatureMetadata(
        field_name="Second", subfilter=fields.SigSeedSubFilter.PADES
    )
    twice = signers.PdfSigner(told, signer=_signer(keys)).sign_pdf(writer)
    assert "2 枚" in wrong(check(bytes(twice.getbuffer())))


def test_the_seal_of_another_authority_is_not_trusted(
    tmp_path: Path, letter: bytes, check: Callable[[bytes], Verdict]
) -> None:
    """As like ours as can be: the same names, the same words."""
    forged = sealed_letter(seal_keys(tmp_path))
    verdict = check(forged)
    assert not verdict.genuine
    assert "不是您信任的机构" in wrong(verdict)


def test_the_seal_of_another_letter_does_not_fit(
    keys: SealKeys, letter: bytes, check: Callable[[bytes], Verdict]
) -> None:
    other = sealed_letter(keys, applicant="李测试")
    (start, end), (from_, to) = place_of_seal(letter), place_of_seal(other)
    digits = other[from_:to][: end - start].ljust(end - start, b"0")
    swapped = letter[:start] + digits + letter[end:]
    assert "被改过" in wrong(check(swapped))


def test_another_drawing_under_the_same_seal_is_found(
    keys: SealKeys, letter: bytes, check: Callable[[bytes], Verdict]
) -> None:
    picture = re.search(rb"/Subtype /Image.*?stream\r?\n", letter[-20000:], re.S)
    assert picture is not None
    start = len(letter) - 20000 + picture.end()
    assert not check(letter[:start] + b"\x78" * 40 + letter[start + 40 :]).genuine


def test_a_seal_that_names_another_original_is_found(
    keys: SealKeys, check: Callable[[bytes], Verdict], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody who has the seal, but sealed what was not shown."""
    said = "原文 5000 字节 sha256:" + "ab" * 32 + " 签名 sha256:" + "01" * 32 + " 证据 sha256:"
    monkeypatch.setattr("backend.letters.sealing.reason_of", lambda _: said + "02" * 32)
    assert "原文" in wrong(check(sealed_letter(keys)))


def test_a_seal_for_something_else_is_no_letter(
    keys: SealKeys, check: Callable[[bytes], Verdict], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.letters.sealing.reason_of", lambda _: "随便盖的")
    assert "不是盖承诺书用的" in wrong(check(sealed_letter(keys)))


def test_a_certificate_that_is_over_by_now_is_looked_at_as_of_the_sealing(
    letter: bytes, check: Callable[[bytes], Verdict]
) -> None:
    with time_machine.travel(clock.now() + timedelta(days=30 * 365), tick=False):
        assert check(letter).genuine


@pytest.mark.parametrize("data", [b"", b"not a pdf", b"\x89PNG\r\n\x1a\n", b"<html>%PDF"])
def test_what_is_no_pdf_is_not_checked(check: Callable[[bytes], Verdict], data: bytes) -> None:
    with pytest.raises(NotALetter, match="PDF"):
        check(data)


@pytest.mark.parametrize("data", [b"%PDF-1.7", b"%PDF-1.7\n" + b"x" * 5000])
def test_a_broken_pdf_is_not_genuine(check: Callable[[bytes], Verdict], data: bytes) -> None:
    assert "坏了" in wrong(check(data))


def test_openssl_finds_the_same(tmp_path: Path, keys: SealKeys, letter: bytes) -> None:
    """Apart from pyHanko: the seal's signature over the bytes, by the trusted certificate."""
    assert openssl(tmp_path, keys, letter) == 0
    dice = random.Random(7)
    start, _ = place_of_seal(letter)
    for place in (10, 5000, start - 300, len(letter) - 5):
        assert openssl(tmp_path, keys, changed(letter, place, dice)) != 0


def openssl(folder: Path, keys: SealKeys, letter: bytes) -> int:
    start, end = place_of_seal(letter)
    seal = cms.ContentInfo.load(bytes.fromhex(letter[start:end].decode()), strict=False)
    (folder / "seal.der").write_bytes(seal.dump())
    (folder / "content").write_bytes(letter[: start - 1] + letter[end + 1 :])
    (folder / "ca.pem").write_bytes(keys.root.public_bytes(serialization.Encoding.PEM))
    command = ["openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", "seal.der",
               "-content", "content", "-CAfile", "ca.pem", "-purpose", "any", "-out", "/dev/null"]  # fmt: skip
    return subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode


def test_poppler_finds_the_same(tmp_path: Path, letter: bytes) -> None:
    if shutil.which("pdfsig") is None:
        pytest.skip("pdfsig (poppler-utils) is not here; openssl has checked the same")
    told = pdfsig(tmp_path, letter)
    assert "Signature is Valid" in told
    assert "Total document signed" in told
    assert "Signature is Valid" not in pdfsig(tmp_path, changed(letter, 5000, random.Random(7)))


def pdfsig(folder: Path, letter: bytes) -> str:
    (folder / "letter.pdf").write_bytes(letter)
    done = subprocess.run(
        ["pdfsig", "letter.pdf"], cwd=folder, capture_output=True, text=True, check=False
    )
    return done.stdout


def test_of_processes_that_make_an_authority_at_once_one_stays(tmp_path: Path) -> None:
    first = seal_keys(tmp_path)
    again = seal_keys(tmp_path)
    assert first.root == again.root
    assert first.seal_key.private_numbers() == again.seal_key.private_numbers()
    assert {one.stat().st_mode & 0o777 for one in (tmp_path / "seal").iterdir()} == {0o600}
    assert [one.name for one in tmp_path.iterdir()] == ["seal"]


def test_a_real_seal_is_used_where_one_is_named(tmp_path: Path) -> None:
    real = tmp_path / "real"
    open_or_create(SealFiles(real), clock.now())
    files = SealFiles(tmp_path / "own", real / "seal.key", real / "seal.pem", real_only=True)
    keys = open_or_create(files, clock.now())
    roots = [*trusted(keys), root_of(real)]
    provider = OwnSeal(keys, clock.now)
    shown = render(content()).pdf
    pdf = provider.seal(ToSeal(shown, drawing(), b"\x01" * 32, b"\x02" * 32)).pdf
    assert provider.name == "own"
    assert verify(pdf, roots).genuine
    assert not verify(pdf, trusted(keys)).genuine


def root_of(folder: Path) -> x509.Certificate:
    _, _, der = pem.unarmor((folder / "ca.pem").read_bytes())
    return x509.Certificate.load(der)


def test_where_real_people_are_served_an_own_seal_is_not_good_enough(tmp_path: Path) -> None:
    with pytest.raises(SealMissing) as refused:
        open_or_create(SealFiles(tmp_path / "seal", real_only=True), clock.now())
    assert "柜台" in refused.value.faults[0].detail


def test_a_key_that_is_not_the_certificates_is_refused(tmp_path: Path) -> None:
    for name in ("one", "two"):
        open_or_create(SealFiles(tmp_path / name), clock.now())
    files = SealFiles(tmp_path / "own", tmp_path / "one/seal.key", tmp_path / "two/seal.pem")
    with pytest.raises(SealMissing):
        open_or_create(files, clock.now())
