"""Anchors outside the database: on disk, keyed, never changed, readable after an accident."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from backend.kernel import key_file
from backend.kernel.audit_anchors import Anchors
from backend.kernel.audit_chain import Tail
from backend.kernel.crypto import Keyring

NOW = datetime(2026, 11, 21, 3, 4, 5, tzinfo=UTC)
TAIL = Tail(7, 7, bytes(range(32)))


@pytest.fixture(params=["aes", "sm4"])
def anchors(tmp_path: Path, request: pytest.FixtureRequest) -> Anchors:
    keyring = Keyring.open_or_create(tmp_path / "keys.json", request.param)
    return Anchors(tmp_path / "kept" / "anchors.jsonl", keyring)


def standings(anchors: Anchors) -> list[str]:
    return [line.standing for line in anchors.lines(anchors.size() or 0)]


def test_an_anchor_is_one_line_that_the_owner_alone_may_read(anchors: Anchors) -> None:
    assert anchors.size() is None
    assert anchors.add(TAIL, NOW)
    assert anchors.path.stat().st_mode & 0o777 == 0o600
    (line,) = anchors.path.read_text().splitlines()
    assert re.match(r'{"file":"[0-9a-f]{16}","number":1,"position":7,"hash":"000102', line)
    assert '"at":"2026-11-21T03:04:05+00:00"' in line
    assert standings(anchors) == ["genuine"]


def test_what_the_last_anchor_says_is_not_said_again(anchors: Anchors) -> None:
    assert anchors.add(TAIL, NOW)
    assert not anchors.add(TAIL, NOW)
    assert anchors.add(replace(TAIL, position=8, hash=bytes(32)), NOW)
    assert standings(anchors) == ["genuine", "genuine"]


def test_an_empty_chain_is_not_anchored(anchors: Anchors) -> None:
    assert not anchors.add(Tail(), NOW)
    assert anchors.size() is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"number":1', b'"number":2'),
        (b'"position":7', b'"position":8'),
        (b'"000102', b'"000103'),
        (b"03:04:05", b"03:04:06"),
    ],
)
def test_a_line_that_was_changed_is_known_as_forged(
    anchors: Anchors, old: bytes, new: bytes
) -> None:
    anchors.add(TAIL, NOW)
    anchors.path.write_bytes(anchors.path.read_bytes().replace(old, new))
    assert standings(anchors) == ["forged"]


@pytest.mark.parametrize("mac", ["", "00", "xyz", "0001", "0001" + "00" * 32, "ff"])
def test_a_mac_that_is_none_is_not_taken(anchors: Anchors, mac: str) -> None:
    anchors.add(TAIL, NOW)
    real = anchors.last()
    assert real is not None
    text = anchors.path.read_text().replace(real.mac, mac)
    anchors.path.write_text(text)
    assert standings(anchors)[0] in {"forged", "unknown_key"}


def test_every_bit_of_the_mac_counts(anchors: Anchors) -> None:
    anchors.add(TAIL, NOW)
    real = anchors.last()
    assert real is not None
    for place in range(4, len(real.mac)):
        other = "0" if real.mac[place] != "0" else "1"
        mac = real.mac[:place] + other + real.mac[place + 1 :]
        assert not anchors.keyring.signed("audit anchor", real.said, bytes.fromhex(mac))


def test_half_a_line_after_a_power_cut_spoils_no_other(anchors: Anchors) -> None:
    anchors.add(TAIL, NOW)
    whole = anchors.path.read_bytes()
    anchors.path.write_bytes(whole + whole[:60])
    assert anchors.last() is None
    assert anchors.add(replace(TAIL, position=8), NOW)
    assert standings(anchors) == ["genuine", "torn", "genuine"]


def test_only_what_stood_there_at_a_moment_is_read(anchors: Anchors) -> None:
    anchors.add(TAIL, NOW)
    size = anchors.size()
    assert size
    anchors.add(replace(TAIL, hash=bytes(32)), NOW)
    assert len(list(anchors.lines(size))) == 1


def test_the_lines_of_a_file_are_numbered_and_none_is_given_twice(anchors: Anchors) -> None:
    tails = [replace(TAIL, position=number, hash=bytes([number]) * 32) for number in range(1, 6)]
    first = anchors.add(tails[0], NOW)
    second = anchors.add(tails[1], NOW)
    assert first is not None
    assert second is not None
    assert (first.number, second.number) == (1, 2)
    assert first.file == second.file
    lines = anchors.path.read_bytes().splitlines(keepends=True)
    anchors.path.write_bytes(lines[0] + lines[1][:50])
    third = anchors.add(tails[2], NOW, written=2)
    assert third is not None
    assert (third.file, third.number) == (first.file, 3)
    anchors.path.write_bytes(b"")
    other = anchors.add(tails[3], NOW)
    assert other is not None
    assert other.number == 1
    assert other.file != first.file


def test_with_new_keys_the_end_is_anchored_again_so_that_the_old_may_go(anchors: Anchors) -> None:
    anchors.add(TAIL, NOW)
    path = anchors.keyring.path
    content = key_file.read(path).added("aes")
    key_file.write(path, replace(content, active=2))
    anchors.keyring.refresh()
    assert anchors.add(TAIL, NOW)
    assert not anchors.add(TAIL, NOW)
    key_file.write(path, key_file.read(path).without(1))
    anchors.keyring.refresh()
    assert standings(anchors) == ["unknown_key", "genuine"]


def test_a_mac_for_another_purpose_is_worth_nothing(anchors: Anchors) -> None:
    mac = anchors.keyring.sign("something else", b"x")
    assert anchors.keyring.signed("something else", b"x", mac)
    assert not anchors.keyring.signed("audit anchor", b"x", mac)
