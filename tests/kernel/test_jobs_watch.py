from __future__ import annotations

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from backend.kernel import jobs_watch
from backend.kernel.jobs_watch import every_seconds, watches_of
from miniprogram_api.queue_app import import_tasks


@pytest.fixture(autouse=True)
def own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Watches of the test alone."""
    monkeypatch.setattr(jobs_watch, "WATCHES", {})


def test_a_look_has_a_transaction_of_its_own(database: Engine) -> None:
    @every_seconds("trial.look", queue="trial", seconds=1)
    def look(session: Session) -> None:
        session.execute(text("CREATE TABLE looked ()"))

    look()
    with database.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM looked")).scalar_one() == 0


def test_workers_take_the_looks_of_their_queues() -> None:
    @every_seconds("trial.look", queue="trial", seconds=1)
    def look(_session: Session) -> None:
        """Nothing."""

    assert watches_of(("other", "trial")) == (look,)
    assert watches_of(("other",)) == ()


def test_two_looks_of_one_name_are_refused() -> None:
    def look(_session: Session) -> None:
        """Nothing."""

    every_seconds("trial.look", queue="trial", seconds=1)(look)
    with pytest.raises(ValueError, match=r"trial\.look"):
        every_seconds("trial.look", queue="trial", seconds=1)(look)


def test_workers_know_the_look_for_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    import_tasks()
    assert "notifications.look" in jobs_watch.WATCHES
