from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine

from backend.kernel import database, key_file
from backend.kernel.crypto import KeysUnusable
from backend.kernel.database import transaction
from backend.kernel.key_check import forget, open_keyring, verify
from backend.kernel.settings import Settings

pytestmark = pytest.mark.usefixtures("worker_database")


@pytest.fixture
def chosen(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path)


def change(chosen: Settings, content: key_file.KeyFile) -> None:
    key_file.write(chosen.key_file, content)


def test_keys_are_made_at_the_first_use_and_known_afterwards(chosen: Settings) -> None:
    first = open_keyring(chosen)
    assert open_keyring(chosen).index("phone", "1") == first.index("phone", "1")


def test_keys_of_another_installation_are_refused(chosen: Settings, tmp_path: Path) -> None:
    open_keyring(chosen)
    other = tmp_path / "other.json"
    key_file.create(other, key_file.new_file("aes"))
    with pytest.raises(KeysUnusable, match=r"other\.json 不是本数据库的"):
        open_keyring(replace(chosen, keys=other))


def test_a_database_with_keys_never_gets_new_ones_in_silence(chosen: Settings) -> None:
    open_keyring(chosen)
    chosen.key_file.unlink()
    with pytest.raises(KeysUnusable, match="没有找到密钥文件"):
        open_keyring(chosen)
    assert not chosen.key_file.exists()


def test_a_file_that_lacks_a_key_of_the_database_is_refused(chosen: Settings) -> None:
    open_keyring(chosen)
    both = key_file.read(chosen.key_file).added("aes")
    change(chosen, both)
    open_keyring(chosen)
    change(chosen, both.without(2))
    with pytest.raises(KeysUnusable, match="没有本数据库用的第 2 号密钥"):
        open_keyring(chosen)


def test_another_machine_with_another_second_key_is_refused(chosen: Settings) -> None:
    open_keyring(chosen)
    only = key_file.read(chosen.key_file)
    change(chosen, only.added("aes"))
    open_keyring(chosen)
    change(chosen, only.added("aes"))
    with pytest.raises(KeysUnusable, match="第 2 号密钥不符"):
        open_keyring(chosen)


def test_a_dropped_key_that_an_old_file_still_holds_is_not_taken_up_again(chosen: Settings) -> None:
    open_keyring(chosen)
    change(chosen, key_file.read(chosen.key_file).added("aes"))
    ring = open_keyring(chosen)
    with transaction() as session:
        forget(session, 1)
    open_keyring(chosen)
    change(chosen, replace(key_file.read(chosen.key_file).without(1), active=2))
    with transaction() as session:
        verify(session, ring)


def test_the_site_may_check_the_keys(chosen: Settings, app_database: Engine) -> None:
    ring = open_keyring(chosen)
    with database.bound(app_database), transaction() as session:
        verify(session, ring)
