"""试算 (dry run): the same computing, shown and then rolled back, slice by slice."""

from __future__ import annotations

from typing import Final

from backend.kernel.copy import raw
from backend.kernel.database import transaction
from backend.matching.editions import current_edition
from backend.matching.numbers import numbers_of
from backend.matching.parts import slices_of
from backend.matching.runs import StartRun, check_area, total_of
from backend.matching.slices import Summary, Task, match_slice

NO_RUN: Final = -1
"""No run has it, and it is not the 0 of what stands."""


def dry_run(command: StartRun) -> Summary:
    """What a run would write, in sums; nothing stays. Opens transactions of its own.

    Raises `UnknownArea`.
    """
    check_area(command.area)
    with transaction() as session:
        rules = current_edition(session, command.catalogue)
        numbers_of(session, rules.rules.book)
        slices = slices_of(raw(session), command.area, command.year)
    return total_of([_one(Task(one, NO_RUN, rules)) for one in slices])


def _one(task: Task) -> Summary:
    with transaction(keep=False) as session:
        return match_slice(session, task)
