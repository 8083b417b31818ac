"""生命线 (lifeline): a child process ends when the process that started it is gone."""

from __future__ import annotations

import ctypes
import os
import signal
from typing import Final

SUPERVISOR_VARIABLE: Final = "SHUKUN_SUPERVISOR"
"""Names the process that started this one, by its number."""
PR_SET_PDEATHSIG: Final = 1


def end_with_supervisor() -> None:
    """Be told by SIGTERM when the supervisor ends, even killed. Raises `SystemExit` when it is gone
    already; does nothing without one.
    """
    supervisor = os.environ.get(SUPERVISOR_VARIABLE)
    if supervisor is None:
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != int(supervisor):
        raise SystemExit("the supervisor is gone")
