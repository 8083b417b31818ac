"""`python -m tests.support.sealer URL FOLDER [sabotaged]`: for each line of input a process that seals
without a pause, to be killed; its number is printed.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from backend.kernel import audit_seal, clock, database
from backend.kernel.audit_anchors import Anchors
from backend.kernel.audit_chain import Tail
from backend.kernel.crypto import Keyring


class AnchoredFirst:
    """Writes the anchor before the chain is committed, and is slow about it: wrong."""

    def __init__(self, anchors: Anchors) -> None:
        self._anchors = anchors
        self._seal_next = audit_seal._seal_next
        audit_seal._seal_next = self.seal_next  # type: ignore[assignment]

    def seal_next(self, session: Session, *found: Any) -> tuple[Tail, Any]:
        """The step, with its anchor inside the transaction."""
        end, done = self._seal_next(session, *found)
        self._anchors.add(end, clock.now())
        time.sleep(1)
        return end, done

    def last(self) -> None:
        """Nothing to compare with."""

    def says(self, _tail: Tail) -> bool:
        """Said already."""
        return True


def main(url: str, folder: str, sabotaged: str = "") -> None:
    """Begins one sealer after another, until the input ends."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the killed are not waited for
    for _ in sys.stdin:
        if not (child := os.fork()):
            seal_on(url, Path(folder), bool(sabotaged))
        print(child, flush=True)


def seal_on(url: str, folder: Path, sabotaged: bool) -> None:
    """Goes on until it is killed, or its parent is gone."""
    audit_seal.ROWS_AT_ONCE = 20  # type: ignore[misc]
    audit_seal.PATIENCE_S = 0.05  # type: ignore[misc]
    anchors: Any = Anchors(folder / "audit-anchors.jsonl", Keyring.load(folder / "keys.json"))
    if sabotaged:
        anchors = AnchoredFirst(anchors)
    with database.bound(database.engine_for(url, role="worker")):
        parent = os.getppid()
        while os.getppid() == parent:
            audit_seal.seal(anchors, clock.now())
            time.sleep(0.01)
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
