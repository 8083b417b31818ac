import json
import os
import stat
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.kernel import key_file
from backend.kernel.crypto import (
    Keyring,
    KeysUnusable,
    KeyUnknown,
    Place,
    SealedBroken,
    key_number,
)
from backend.kernel.sealing import _Sm4Gcm

NAME = Place("person", "name", 7)
NUMBER = "11010119900307123X"


@pytest.fixture(params=["aes", "sm4"])
def ring(request: pytest.FixtureRequest, tmp_path: Path) -> Keyring:
    return Keyring.open_or_create(tmp_path / "keys.json", request.param)


def add_keys(ring: Keyring, *, active: bool) -> None:
    content = key_file.read(ring.path).added("aes")
    if active:
        content = key_file.KeyFile(content.newest, content.keys)
    key_file.write(ring.path, content)


def without(ring: Keyring, number: int) -> None:
    key_file.write(ring.path, key_file.read(ring.path).without(number))


def test_what_is_sealed_opens_again(ring: Keyring) -> None:
    cipher = ring.person(7, ring.new_person_key(7))
    for text in ("张三", "𠮷䶮㛃·阿卜杜拉", "a" * 10_000):
        assert cipher.open(NAME, cipher.seal(NAME, text)) == text
        assert ring.shared().open(NAME, ring.shared().seal(NAME, text)) == text


def test_nothing_stays_nothing(ring: Keyring) -> None:
    assert ring.shared().seal(NAME, "") == b""
    assert ring.shared().open(NAME, b"") == ""
    assert ring.index("phone", "") == b""
    assert ring.indexes("phone", " ") == ()


def test_the_same_text_is_sealed_differently_each_time(ring: Keyring) -> None:
    cipher = ring.person(7, ring.new_person_key(7))
    assert len({cipher.seal(NAME, "张三") for _ in range(100)}) == 100


def test_nothing_of_the_text_is_in_the_sealed_value(ring: Keyring) -> None:
    sealed = ring.shared().seal(NAME, NUMBER)
    assert NUMBER.encode() not in sealed
    assert NUMBER[:6].encode() not in sealed


@pytest.mark.parametrize(
    "elsewhere", [Place("person", "name", 8), Place("person", "phone", 7), Place("bill", "name", 7)]
)
def test_a_value_moved_to_another_row_column_or_table_does_not_open(
    ring: Keyring, elsewhere: Place
) -> None:
    cipher = ring.person(7, ring.new_person_key(7))
    with pytest.raises(SealedBroken, match=f"{elsewhere.table}.{elsewhere.column}"):
        cipher.open(elsewhere, cipher.seal(NAME, "张三"))


def test_every_flipped_bit_is_noticed(ring: Keyring) -> None:
    wrapped = ring.new_person_key(7)
    cipher = ring.person(7, wrapped)
    for blob, opening in (
        (cipher.seal(NAME, "张三"), lambda one: cipher.open(NAME, one)),
        (ring.shared().seal(NAME, "张三"), lambda one: ring.shared().open(NAME, one)),
        (wrapped, lambda one: ring.person(7, one)),
    ):
        for bit in range(len(blob) * 8):
            changed = bytearray(blob)
            changed[bit // 8] ^= 1 << bit % 8
            with pytest.raises(SealedBroken):
                opening(bytes(changed))


def test_a_value_cut_short_is_noticed(ring: Keyring) -> None:
    cipher = ring.person(7, ring.new_person_key(7))
    blob = cipher.seal(NAME, "张三")
    for length in range(1, len(blob)):
        with pytest.raises(SealedBroken):
            cipher.open(NAME, blob[:length])


def test_a_persons_key_opens_no_one_elses_values(ring: Keyring) -> None:
    one, other = (ring.person(n, ring.new_person_key(n)) for n in (7, 8))
    with pytest.raises(SealedBroken):
        other.open(NAME, one.seal(NAME, "张三"))


def test_a_wrapped_key_put_into_another_persons_row_does_not_open(ring: Keyring) -> None:
    with pytest.raises(SealedBroken):
        ring.person(8, ring.new_person_key(7))


def test_a_person_whose_key_is_gone_is_forgotten(ring: Keyring) -> None:
    with pytest.raises(SealedBroken, match="forgotten"):
        ring.person(7, b"")


def test_a_refusal_says_where_and_never_what(ring: Keyring) -> None:
    sealed = ring.shared().seal(NAME, "张三")
    with pytest.raises(SealedBroken) as caught:
        ring.shared().open(Place("person", "name", 8), sealed)
    assert str(caught.value) == "person.name:8 was changed or moved"
    assert "张三" not in repr(caught.value.__cause__)


def test_sm4_in_gcm_gives_the_answer_of_rfc_8998() -> None:
    key = bytes.fromhex("0123456789abcdeffedcba9876543210")
    nonce = bytes.fromhex("00001234567800000000abcd")
    beside = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
    said = bytes.fromhex(
        "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccdddddddddddddddd"
        "eeeeeeeeeeeeeeeeffffffffffffffffeeeeeeeeeeeeeeeeaaaaaaaaaaaaaaaa"
    )
    sealed = _Sm4Gcm(key).encrypt(nonce, said, beside)
    assert sealed[-16:].hex() == "83de3541e4c2b58177e065a9bf7b62ec"
    assert sealed[:16].hex() == "17f399f08c67d5ee19d0dc9969c4bb7d"
    assert _Sm4Gcm(key).decrypt(nonce, sealed, beside) == said


def test_an_index_finds_every_spelling_of_a_value(ring: Keyring) -> None:
    number = ring.index("id_number", NUMBER)
    assert ring.index("id_number", f" {NUMBER.lower()}\n") == number
    assert ring.index("id_number", "１１０１０１１９９００３０７１２３Ｘ") == number
    phone = ring.index("phone", "13800001111")
    assert ring.index("phone", "+86 138-0000-1111") == phone
    assert len(number) == 18


def test_an_index_differs_by_kind_and_by_key_and_shows_nothing(tmp_path: Path) -> None:
    one = Keyring.open_or_create(tmp_path / "one.json")
    other = Keyring.open_or_create(tmp_path / "other.json")
    found = {
        one.index("id_number", "13800001111"),
        one.index("phone", "13800001111"),
        other.index("phone", "13800001111"),
    }
    assert len(found) == 3
    with pytest.raises(ValueError, match="unknown kind"):
        one.index("name", "张三")


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Keyring:
    return Keyring.open_or_create(tmp_path_factory.mktemp("keys") / "keys.json")


@given(text=st.text())
def test_any_text_is_sealed_and_opens(lasting: Keyring, text: str) -> None:
    cipher = lasting.person(7, lasting.new_person_key(7))
    assert cipher.open(NAME, cipher.seal(NAME, text)) == text


def test_a_running_process_notices_new_keys_before_it_seals_or_looks_up(ring: Keyring) -> None:
    elsewhere = Keyring.load(ring.path)
    wrapped = ring.new_person_key(7)
    before = elsewhere.index("phone", "13800001111")
    add_keys(ring, active=True)
    assert elsewhere.index("phone", "13800001111") != before
    assert elsewhere.indexes("phone", "13800001111") == (
        elsewhere.index("phone", "13800001111"),
        before,
    )
    assert key_number(elsewhere.new_person_key(8)) == 2
    assert key_number(elsewhere.rewrapped(7, wrapped)) == 2
    sealed = ring.person(7, wrapped).seal(NAME, "张三")
    assert elsewhere.person(7, elsewhere.rewrapped(7, wrapped)).open(NAME, sealed) == "张三"


def test_keys_that_are_not_active_yet_are_looked_up_by_but_seal_nothing(ring: Keyring) -> None:
    add_keys(ring, active=False)
    assert ring.numbers == (1, 2)
    assert ring.active == 1
    assert key_number(ring.new_person_key(7)) == 1
    assert [key_number(b"A" + one[:2]) for one in ring.indexes("phone", "13800001111")] == [1, 2]


def test_a_shared_value_of_an_older_key_opens_and_that_of_a_dropped_one_says_so(
    ring: Keyring,
) -> None:
    sealed = ring.shared().seal(NAME, "1-2-301")
    add_keys(ring, active=True)
    assert ring.shared().open(NAME, sealed) == "1-2-301"
    without(ring, 1)
    with pytest.raises(KeyUnknown, match="没有第 1 号密钥"):
        Keyring.load(ring.path).shared().open(NAME, sealed)


def test_a_key_file_that_vanishes_does_not_stop_a_running_process(ring: Keyring) -> None:
    ring.path.unlink()
    assert ring.index("phone", "13800001111")
    with pytest.raises(KeysUnusable, match=r"没有找到密钥文件.*SHUKUN_KEYS"):
        Keyring.load(ring.path)


def test_a_new_key_file_is_the_owners_alone(ring: Keyring) -> None:
    assert stat.S_IMODE(ring.path.stat().st_mode) == 0o600
    assert os.listdir(ring.path.parent) == ["keys.json"]  # noqa: PTH208  (names)


def test_a_key_file_that_others_can_read_is_refused(ring: Keyring) -> None:
    ring.path.chmod(0o604)
    with pytest.raises(KeysUnusable, match="chmod 600"):
        Keyring.load(ring.path)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "",
        lambda text: text[: len(text) // 2],
        lambda text: text.replace('"active": 1', '"active": 2'),
        lambda text: text.replace('"id": 1', '"id": 70000'),
        lambda text: text.replace('"suite"', '"sweet"'),
        lambda text: json.dumps(json.loads(text) | {"keys": json.loads(text)["keys"] * 2}),
        lambda text: text.replace('"master": "', '"master": "AAAA'),
        lambda text: text.replace('"index": "', '"index": "不'),
    ],
)  # fmt: skip
def test_a_garbled_key_file_is_refused_in_plain_words(ring: Keyring, change) -> None:  # type: ignore[no-untyped-def]
    ring.path.write_text(change(ring.path.read_text()))
    with pytest.raises(KeysUnusable, match="从备份恢复"):
        Keyring.load(ring.path)


def test_a_key_file_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(KeysUnusable, match="建立不了密钥文件"):
        Keyring.open_or_create(tmp_path / "file" / "keys.json")


def test_processes_that_start_at_once_make_one_key_file(tmp_path: Path) -> None:
    path, found, together = tmp_path / "keys.json", [], threading.Barrier(8)

    def start() -> None:
        together.wait(10)
        found.append(Keyring.open_or_create(path).index("phone", "13800001111"))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(found) == 8
    assert len(set(found)) == 1


def test_secrets_are_in_no_representation(ring: Keyring) -> None:
    content = key_file.read(ring.path)
    assert "master" not in repr(content)
    assert content.keys[0].master.hex() not in repr(content)
