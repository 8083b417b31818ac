"""`shukun verify`: anybody can check a sealed letter, without a database."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from miniprogram_api.cli import run
from tests.support.letters import seal_keys, sealed_letter


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SHUKUN_DATA", str(tmp_path))
    keys = seal_keys(tmp_path)
    (tmp_path / "letter.pdf").write_bytes(sealed_letter(keys))
    (tmp_path / "root.pem").write_bytes(keys.root.public_bytes(serialization.Encoding.PEM))
    return tmp_path


def test_a_genuine_letter_ends_in_0(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["verify", str(folder / "letter.pdf")]) == 0
    assert "结论：是真的" in capsys.readouterr().out
    assert run(["verify", str(folder / "letter.pdf"), "--trust", str(folder / "root.pem")]) == 0


def test_a_changed_letter_ends_in_1(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    letter = bytearray((folder / "letter.pdf").read_bytes())
    letter[5000] ^= 1
    (folder / "changed.pdf").write_bytes(letter)
    assert run(["verify", str(folder / "changed.pdf")]) == 1
    told = capsys.readouterr().out
    assert "✗" in told
    assert "不能当真" in told


def test_another_authority_ends_in_1(folder: Path, tmp_path: Path) -> None:
    other = seal_keys(tmp_path / "other")
    (folder / "other.pem").write_bytes(other.root.public_bytes(serialization.Encoding.PEM))
    assert run(["verify", str(folder / "letter.pdf"), "--trust", str(folder / "other.pem")]) == 1


@pytest.mark.parametrize(
    ("content", "said"), [(b"", "证书"), (b"no pem", "证书"),
                          (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "证书")],
)  # fmt: skip
def test_certificates_that_are_none_end_in_2(
    folder: Path, capsys: pytest.CaptureFixture[str], content: bytes, said: str
) -> None:
    (folder / "none.pem").write_bytes(content)
    assert run(["verify", str(folder / "letter.pdf"), "--trust", str(folder / "none.pem")]) == 2
    assert said in capsys.readouterr().err


def test_what_is_no_letter_ends_in_2(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "photo.jpg").write_bytes(b"\xff\xd8\xff")
    assert run(["verify", str(folder / "photo.jpg")]) == 2
    assert "截图" in capsys.readouterr().err
    assert run(["verify", str(folder / "absent.pdf")]) == 2


def test_without_a_certificate_it_says_what_is_missing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "seal" / "ca.pem").unlink()
    assert run(["verify", str(folder / "letter.pdf")]) == 2
    assert "--trust" in capsys.readouterr().err
