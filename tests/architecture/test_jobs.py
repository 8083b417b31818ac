from __future__ import annotations

import re
import subprocess
import sys

from backend.kernel.jobs import TASKS, queues
from backend.kernel.settings import PROJECT
from miniprogram_api import queue_app

DECORATORS = re.compile(r"^@(?:jobs\.|jobs_schedule\.)?(?:task|every_(?:day|month|year))\(", re.M)

ON_PUSH = re.compile(r"^@on_push\(", re.M)


def imported_by_workers() -> set[str]:
    """What a worker has imported when it knows its tasks."""
    program = (
        "import sys; from miniprogram_api import queue_app; queue_app.import_tasks();"
        " print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def modules_with(pattern: re.Pattern[str]) -> set[str]:
    return {
        path.relative_to(PROJECT).as_posix()[: -len(".py")].replace("/", ".")
        for path in (PROJECT / "backend").rglob("*.py")
        if pattern.search(path.read_text(encoding="utf-8"))
    }


def test_every_task_lies_in_a_module_which_workers_import() -> None:
    """A task defined elsewhere would be left as a job and found by no worker."""
    found = modules_with(DECORATORS)
    assert found
    assert found <= imported_by_workers()


def test_every_task_and_every_queue_is_known_to_workers() -> None:
    queue_app.import_tasks()
    app = queue_app.queue_app("postgresql://nobody@127.0.0.1:9/none", concurrency=1)
    assert TASKS
    assert {name: app.tasks[name].queue for name in TASKS} == {
        name: task.queue for name, task in TASKS.items()
    }
    assert {task.queue for task in TASKS.values()} == set(queues())


def test_every_handler_of_pushes_is_known_to_workers() -> None:
    """One in a module that no `tasks` module imports would never be called."""
    modules = modules_with(ON_PUSH)
    assert modules
    assert modules <= imported_by_workers()
