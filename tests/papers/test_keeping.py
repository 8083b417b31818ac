"""What is kept is sealed, survives kills and new keys, and tells nothing by its name."""

from __future__ import annotations

import hashlib
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from backend.citizens.keyed import KEYED
from backend.kernel import clock, key_file, keys, rotation
from backend.kernel.crypto import SealedBroken
from backend.kernel.database import bound, transaction
from backend.papers import keeping, tasks
from backend.papers.cleaning import CleanerEnded
from backend.papers.handing_in import remove_paper
from backend.papers.keeping import read_content
from backend.papers.papers import UnknownPaper
from backend.papers.store import FolderStore, PaperLost
from tests.papers.test_cleaning import cleaners
from tests.support.bad_files import REFUSED
from tests.support.handing_in import HandingIn, photo
from tests.support.raw_cases import raw_step

SMALL = photo()


def data_of(jia: HandingIn, folder: FolderStore, paper: int) -> bytes:
    return jia.acting(
        lambda session, actor: read_content(session, keys.keyring(), folder, actor, paper)
    ).data


def files(folder: FolderStore) -> list[Path]:
    return [one for one in folder.folder.rglob("*") if one.is_file()]


def test_nothing_of_a_paper_stands_in_plain_in_the_store_or_the_database(
    jia: HandingIn, folder: FolderStore
) -> None:
    paper = jia.handed_in(SMALL)
    waiting = jia.whole(photo(seed=4))
    shown = data_of(jia, folder, paper)
    (file,) = files(folder)
    sealed = file.read_bytes()
    pieces = b"".join(bytes(row.bytes) for row in jia.rows("SELECT bytes FROM paper_piece"))
    for plain in (SMALL, photo(seed=4), shown):
        for at in range(0, len(plain) - 24, 24):
            assert plain[at : at + 24] not in sealed + pieces
    digests = {hashlib.sha256(one).hexdigest() for one in (shown, SMALL)}
    assert not any(digest[:16] in str(file) for digest in digests)
    assert file.stat().st_mode & 0o077 == 0
    assert jia.state(waiting) == "checking"


def test_a_changed_or_exchanged_file_is_not_shown(jia: HandingIn, folder: FolderStore) -> None:
    first, second = jia.handed_in(SMALL), jia.handed_in(SMALL)
    one, other = sorted(files(folder))
    before = one.read_bytes()
    for forged in (other.read_bytes(), before[:-1] + bytes([before[-1] ^ 1]), b"", SMALL):
        one.write_bytes(forged)
        failed = 0
        for paper in (first, second):
            try:
                data_of(jia, folder, paper)
            except SealedBroken:
                failed += 1
        assert failed == 1
    one.unlink()
    with pytest.raises(PaperLost):
        [data_of(jia, folder, paper) for paper in (first, second)]


def test_papers_are_read_after_the_keys_were_changed(jia: HandingIn, folder: FolderStore) -> None:
    ring = keys.keyring()
    kept, waiting = jia.handed_in(SMALL), jia.whole(photo(seed=2))
    before = data_of(jia, folder, kept)
    added = key_file.read(ring.path).added("aes")
    key_file.write(ring.path, replace(added, active=2))
    ring.refresh()
    with bound(jia.worker):
        rotation.rotate(ring, KEYED, lambda _: None)
    key_file.write(ring.path, key_file.read(ring.path).without(1))
    ring.refresh()
    assert ring.numbers == (2,)
    assert data_of(jia, folder, kept) == before
    jia.clean(waiting)
    assert jia.state(waiting) == "kept"
    assert data_of(jia, folder, waiting)


def test_a_cleaner_killed_in_the_middle_leaves_the_paper_to_the_next_try(jia: HandingIn) -> None:
    paper = jia.whole(REFUSED["pdf that takes for ever"]())
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(jia.clean, paper)
        deadline = time.monotonic() + 20
        while not (found := cleaners()):
            assert time.monotonic() < deadline
        for one in found:
            os.kill(one, signal.SIGKILL)
        with pytest.raises(CleanerEnded):
            waiting.result()
    assert jia.state(paper) == "checking"
    jia.clean(paper)
    assert jia.state(paper) == "refused"


def test_who_gives_up_tells_the_person(jia: HandingIn) -> None:
    paper = jia.whole(SMALL)
    with bound(jia.worker):
        for _ in range(2):
            tasks.give_up(paper)
    assert jia.show(paper).refused_why == "too_heavy"


def test_a_worker_killed_between_the_store_and_the_database_keeps_it_the_next_time(
    jia: HandingIn, folder: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    paper = jia.whole(SMALL)
    with monkeypatch.context() as patched:
        patched.setattr(keeping, "keep", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            jia.clean(paper)
    assert len(files(folder)) == 1
    assert jia.state(paper) == "checking"
    jia.clean(paper)
    assert len(files(folder)) == 1
    assert data_of(jia, folder, paper)


def test_a_paper_called_kept_before_it_is_stored_would_be_noticed_here(
    jia: HandingIn, folder: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "put", lambda _ring, _store, one, _cleaned: f"{one.id:068x}")
    paper = jia.handed_in(SMALL)
    assert jia.state(paper) == "kept"
    with pytest.raises(PaperLost):
        data_of(jia, folder, paper)


def test_leftovers_are_swept_and_what_is_kept_is_not(jia: HandingIn, folder: FolderStore) -> None:
    paper = jia.handed_in(SMALL)
    old = jia.begin(SMALL).id
    jia.put(old, 1, SMALL)
    folder.put(f"{7:068x}", b"nobody's")
    folder.put(f"{8:068x}", b"just being kept")
    long_ago = (clock.now() - timedelta(days=2)).timestamp()
    for file in files(folder):
        if not file.name.endswith("8"):
            os.utime(file, (long_ago, long_ago))
    sweep(jia, timedelta())
    assert len(files(folder)) == 2
    assert jia.state(old) == "taking"
    sweep(jia, tasks.UNFINISHED + timedelta(hours=1))
    assert len(files(folder)) == 1
    assert jia.state(old) == "removed"
    assert jia.rows("SELECT FROM paper_piece") == []
    assert data_of(jia, folder, paper)


def sweep(jia: HandingIn, later: timedelta) -> None:
    with bound(jia.worker), transaction() as session:
        tasks.sweep_leftovers(session, clock.now() + later)


def test_what_was_submitted_stays_on_file_though_it_was_taken_back(
    jia: HandingIn, folder: FolderStore
) -> None:
    paper = jia.handed_in(SMALL)
    with jia.town.engine.begin() as connection:
        raw_step(connection, jia.case, ("submit", "draft", "submitted"), resident=jia.resident)
    jia.case_in("supplement")
    later = jia.handed_in(photo(seed=8))
    for one in (paper, later):
        jia.acting(lambda session, actor, one=one: remove_paper(session, actor, one))  # type: ignore[misc]
        with bound(jia.worker):
            tasks.forget_paper(one)
    assert len(files(folder)) == 1
    with pytest.raises(UnknownPaper):
        data_of(jia, folder, paper)
