"""A paper is begun, comes in pieces over a poor network, and is kept; by whom, and until when."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from backend.kernel import audit
from backend.papers.handing_in import (
    NoCaseForPapers,
    PaperKeyUsed,
    PaperNotWhole,
    PapersClosed,
    PaperTooLarge,
    PieceDiffers,
    PieceWrong,
    TooManyPapers,
    remove_paper,
)
from backend.papers.keeping import Content, read_content
from backend.papers.papers import Kept, UnknownPaper, kept_papers, papers_of
from backend.papers.store import FolderStore
from tests.support.handing_in import HandingIn, cut, draft_of, long_photo, photo
from tests.support.townsfolk import events

SMALL = photo()


def content(jia: HandingIn, folder: FolderStore, paper: int, token: str | None = None) -> Content:
    return jia.acting(
        lambda session, actor: read_content(session, jia.town.keyring, folder, actor, paper), token
    )


def remove(jia: HandingIn, paper: int, token: str | None = None) -> None:
    jia.acting(lambda session, actor: remove_paper(session, actor, paper), token)


def kept(jia: HandingIn) -> list[Kept]:
    return jia.acting(lambda session, _: list(kept_papers(session, jia.case)))


def test_a_photo_handed_in_is_kept_and_shown(jia: HandingIn, folder: FolderStore) -> None:
    paper = jia.handed_in(SMALL)
    shown = jia.show(paper)
    assert (shown.state, shown.media, shown.pages) == ("kept", "image/jpeg", 1)
    read = content(jia, folder, paper)
    assert read.data.startswith(b"\xff\xd8\xff")
    assert read.file_name == f"paper-{paper}.jpg"
    (one,) = kept(jia)
    assert one == Kept(
        paper, "photo_of_card", hashlib.sha256(read.data).hexdigest(), 1,
        hashlib.sha256(SMALL).hexdigest(),
    )  # fmt: skip
    assert jia.rows("SELECT FROM paper_piece") == []


def test_a_refused_file_says_why_and_is_not_among_the_kept(jia: HandingIn) -> None:
    paper = jia.handed_in(b"PK\x03\x04 somebody's table")
    shown = jia.show(paper)
    assert (shown.state, shown.refused_why) == ("refused", "not_an_office_file")
    assert kept(jia) == []
    assert jia.rows("SELECT FROM paper_piece") == []


def test_pieces_come_in_any_order_again_and_over_a_break(jia: HandingIn) -> None:
    data = long_photo()
    pieces = list(enumerate(cut(data), start=1))
    paper = jia.begin(data, key="resumed-on-a-train").id
    random.Random(5).shuffle(pieces)
    for number, piece in pieces[: len(pieces) // 2] * 2:
        jia.put(paper, number, piece)
    with pytest.raises(PaperNotWhole, match="not-whole"):
        jia.finish(paper)
    again = jia.begin(data, key="resumed-on-a-train")
    assert again.id == paper
    assert set(again.missing) == {number for number, _ in pieces[len(pieces) // 2 :]}
    for number, piece in pieces:
        if number in again.missing:
            jia.put(paper, number, piece)
    assert jia.finish(paper).state == "checking"
    assert jia.finish(paper).state == "checking"
    assert jia.put(paper, *pieces[0]).state == "checking"
    jia.clean(paper)
    assert jia.finish(paper).state == "kept"
    (row,) = jia.rows("SELECT count(*) AS n FROM procrastinate_jobs")
    assert row.n == 1


def test_another_piece_under_the_same_number_is_a_conflict(jia: HandingIn) -> None:
    paper = jia.begin(SMALL).id
    jia.put(paper, 1, SMALL)
    with pytest.raises(PieceDiffers):
        jia.put(paper, 1, SMALL[:-1] + b"x")
    jia.put(paper, 1, SMALL)
    assert jia.finish(paper).state == "checking"


@pytest.mark.parametrize(("number", "cut_off"), [(0, 0), (2, 0), (1, 1)])
def test_a_piece_that_does_not_fit_is_refused(jia: HandingIn, number: int, cut_off: int) -> None:
    paper = jia.begin(SMALL).id
    with pytest.raises(PieceWrong):
        jia.put(paper, number, SMALL[cut_off:])


def test_a_file_that_is_another_than_was_announced_is_not_taken(jia: HandingIn) -> None:
    paper = jia.begin(SMALL).id
    jia.put(paper, 1, bytes(len(SMALL)))
    with pytest.raises(PaperNotWhole):
        jia.finish(paper)
    assert jia.state(paper) == "taking"


def test_a_key_begins_one_paper_and_no_other(jia: HandingIn) -> None:
    first = jia.begin(SMALL, key="the-very-same-key")
    assert jia.begin(SMALL, key="the-very-same-key").id == first.id
    with pytest.raises(PaperKeyUsed):
        jia.begin(SMALL + b"x", key="the-very-same-key")
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: jia.begin(SMALL, key="asked-at-the-same-time").id, range(8)))
    assert len(set(made)) == 1


def test_a_file_that_is_too_large_is_not_begun(jia: HandingIn) -> None:
    with pytest.raises(PaperTooLarge) as caught:
        jia.begin(SMALL, size=11 * 1024 * 1024)
    assert "10 MB" in caught.value.faults[0].detail


def test_a_case_takes_forty_papers_also_from_many_at_once(jia: HandingIn) -> None:
    def begin(_: int) -> str:
        try:
            return str(jia.begin(SMALL).id)
        except TooManyPapers:
            return "too many"

    with ThreadPoolExecutor(6) as pool:
        made = list(pool.map(begin, range(46)))
    assert made.count("too many") == 6
    remove(jia, int(next(one for one in made if one != "too many")))
    assert jia.begin(SMALL).id


def test_the_same_piece_from_two_devices_is_kept_once(jia: HandingIn) -> None:
    paper = jia.begin(SMALL).id
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: jia.put(paper, 1, SMALL), range(16)))
    with ThreadPoolExecutor(8) as pool:
        states = [one.state for one in pool.map(lambda _: jia.finish(paper), range(8))]
    assert set(states) == {"checking"}
    (row,) = jia.rows("SELECT count(*) AS n FROM procrastinate_jobs")
    assert row.n == 1


def test_two_workers_at_one_paper_keep_it_once(jia: HandingIn, folder: FolderStore) -> None:
    paper = jia.whole(SMALL)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: jia.clean(paper), range(2)))
    assert jia.state(paper) == "kept"
    assert content(jia, folder, paper).data
    files = [one for one in folder.folder.rglob("*") if one.is_file()]
    assert len(files) == 1


# -- who, and until when ---------------------------------------------------------------------------


@pytest.fixture
def stranger(jia: HandingIn) -> str:
    return jia.town.known(jia.town.person("测试乙"))


def test_a_stranger_neither_sees_nor_changes_a_paper(
    jia: HandingIn, folder: FolderStore, stranger: str
) -> None:
    paper = jia.handed_in(SMALL)
    with pytest.raises(NoCaseForPapers):
        jia.begin(SMALL, stranger)
    for deed in (
        lambda: jia.show(paper, stranger),
        lambda: jia.put(paper, 1, SMALL, stranger),
        lambda: jia.finish(paper, stranger),
        lambda: content(jia, folder, paper, stranger),
        lambda: remove(jia, paper, stranger),
        lambda: jia.show(999_999_999),
    ):
        with pytest.raises(UnknownPaper):
            deed()


@pytest.mark.parametrize(
    ("scope", "hands_in", "sees"),
    [(("materials",), True, False), (("apply",), True, True), (("see",), False, True),
     (("receive",), False, False)],
)  # fmt: skip
def test_a_delegate_does_what_the_delegation_says(
    jia: HandingIn, folder: FolderStore, scope: tuple[str, ...], hands_in: bool, sees: bool
) -> None:
    own, token = jia.handed_in(SMALL), jia.helper(*scope)
    if hands_in:
        theirs = jia.handed_in(photo(seed=3), token)
        assert content(jia, folder, theirs, token).data
        assert jia.rows("SELECT by FROM paper WHERE id = :id", id=theirs)[0].by.startswith("staff:")
        remove(jia, theirs, token)
    else:
        with pytest.raises(NoCaseForPapers):
            jia.begin(SMALL, token)
    if sees:
        assert content(jia, folder, own, token).data
    else:
        with pytest.raises(UnknownPaper):
            jia.show(own, token)


def test_who_decides_sees_the_papers_of_what_was_submitted_in_the_own_area_only(
    jia: HandingIn, folder: FolderStore
) -> None:
    paper = jia.handed_in(SMALL)
    near = jia.town.accounts.staff_token("township_reviewer", "320281101")
    far = jia.town.accounts.staff_token("township_reviewer", "320281102")
    with pytest.raises(UnknownPaper):
        jia.show(paper, near)
    jia.case_in("submitted")
    assert content(jia, folder, paper, near).data
    with pytest.raises(NoCaseForPapers):
        jia.begin(SMALL, near)
    with pytest.raises(UnknownPaper):
        remove(jia, paper, near)
    with pytest.raises(UnknownPaper):
        jia.show(paper, far)


@pytest.mark.parametrize(
    ("state", "hands_in", "gives_back"),
    [("draft", True, True), ("supplement", True, True), ("helped", True, False),
     ("submitted", False, False), ("accepted", False, False), ("granted", False, False),
     ("withdrawn", False, False)],
)  # fmt: skip
def test_papers_change_while_the_case_is_the_applicants(
    jia: HandingIn, state: str, hands_in: bool, gives_back: bool
) -> None:
    paper, kept_one = jia.begin(SMALL).id, jia.handed_in(SMALL)
    jia.case_in(state)
    if hands_in:
        jia.put(paper, 1, SMALL)
        assert jia.finish(paper).state == "checking"
        assert jia.begin(SMALL).id
    else:
        for deed in (
            lambda: jia.begin(SMALL),
            lambda: jia.put(paper, 1, SMALL),
            lambda: jia.finish(paper),
        ):
            with pytest.raises(PapersClosed):
                deed()
    if gives_back:
        remove(jia, kept_one)
        assert jia.state(kept_one) == "removed"
    else:
        with pytest.raises(PapersClosed):
            remove(jia, kept_one)


FORGED = (
    "UPDATE paper SET state = 'kept', media = 'image/jpeg', pages = 1",
    "UPDATE paper SET state = 'kept'",
    "UPDATE paper SET state = 'refused', refused_why = 'x'",
    "UPDATE paper SET size = 1",
    "UPDATE paper SET person_id = person_id + 1",
    "DELETE FROM paper",
    "UPDATE paper_piece SET bytes = 'x'",
    "DELETE FROM paper_piece",
    "INSERT INTO paper_content (paper_id, name, sha256, size) SELECT id, 'x', sha256, 1 FROM paper",
    "UPDATE paper_content SET sha256 = sha256('x')",
    "DELETE FROM paper_content",
    "INSERT INTO paper SELECT nextval('row_id'), application_id, person_id, area, kind, 'other',"
    " size, sha256, pieces, 'kept', 'image/jpeg', 1 FROM paper LIMIT 1",
)


@pytest.mark.parametrize("statement", FORGED)
def test_the_site_cannot_keep_change_or_lose_a_paper_by_itself(
    jia: HandingIn, statement: str
) -> None:
    jia.handed_in(SMALL)
    jia.whole(photo(seed=1))
    with pytest.raises(DBAPIError):
        jia.acting(lambda session, _: session.execute(text(statement)))


def test_the_site_cannot_take_back_what_was_submitted(jia: HandingIn) -> None:
    jia.handed_in(SMALL)
    jia.case_in("helped")
    with pytest.raises(DBAPIError, match="stays"):
        jia.acting(lambda session, _: session.execute(text("UPDATE paper SET state = 'removed'")))
    jia.case_in("accepted")
    jia.acting(lambda session, _: session.execute(text("UPDATE paper SET state = 'removed'")))
    assert jia.rows("SELECT FROM paper WHERE state = 'removed'") == []


# -- taken back, audited ---------------------------------------------------------------------------


def test_what_is_taken_back_is_gone_from_the_store(jia: HandingIn, folder: FolderStore) -> None:
    from backend.kernel.database import bound
    from backend.papers.tasks import forget_paper

    paper = jia.handed_in(SMALL)
    other = jia.whole(photo(seed=9))
    for one in (paper, other):
        remove(jia, one)
    with pytest.raises(UnknownPaper):
        jia.show(paper)
    with bound(jia.worker):
        for _ in range(2):
            forget_paper(paper)
            forget_paper(other)
    jia.clean(other)
    assert [one for one in folder.folder.rglob("*") if one.is_file()] == []
    assert jia.rows("SELECT FROM paper_piece") == jia.rows("SELECT FROM paper_content") == []
    assert jia.acting(lambda session, _: list(papers_of(session, jia.case))) == []


def test_every_deed_and_every_look_is_written_down(jia: HandingIn, folder: FolderStore) -> None:
    paper = jia.handed_in(SMALL)
    jia.show(paper)
    content(jia, folder, paper)
    remove(jia, paper)
    own = (f"resident:{jia.resident}", f"person:{jia.who.id}")
    told = events(jia.town.engine)
    assert [action for actor, action, of in told if (actor, of) == own] == [
        "paper.begin", "paper.piece", "paper.finish", audit.READ, audit.READ, "paper.remove",
    ]  # fmt: skip
    assert ("system", "paper.keep", own[1]) in told


def test_a_paper_of_another_case_is_not_counted_here(jia: HandingIn) -> None:
    other = replace(jia, case=draft_of(jia.town, jia.who, jia.resident))
    jia.handed_in(SMALL)
    assert other.acting(lambda session, _: list(kept_papers(session, other.case))) == []


@pytest.fixture(autouse=True)
def nothing_left(folder: FolderStore) -> Iterator[None]:
    """Drafts of files are gone when the deed is done."""
    yield
    assert not list(folder.folder.rglob(".*"))
