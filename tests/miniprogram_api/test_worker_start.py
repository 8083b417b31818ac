"""A worker that starts while the database is away."""

from __future__ import annotations

from typing import Any

import pytest
from procrastinate import App
from psycopg_pool import PoolTimeout
from sqlalchemy import Engine

from backend.kernel.jobs import queues
from miniprogram_api import queue_app, worker
from miniprogram_api.worker import Plan, work

pytestmark = pytest.mark.postgres


def test_it_waits_for_the_database_to_come(
    worker_database: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue_app.import_tasks()
    made: list[App] = []

    def away_at_first(*given: Any, **more: Any) -> App:
        app = queue_app.queue_app(*given, **more)
        made.append(app)
        if len(made) < 3:
            monkeypatch.setattr(app.connector, "open_async", never_open)
        return app

    monkeypatch.setattr(worker, "queue_app", away_at_first)
    assert work(Plan(database_url, queues(), until_empty=True))
    assert len(made) == 3


async def never_open(**_pool: Any) -> None:
    raise PoolTimeout("pool initialization incomplete")
