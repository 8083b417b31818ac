"""A disk that refuses to keep what is written: `strace` lets a call of PostgreSQL fail."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.kill_site import until


def can_refuse() -> bool:
    """Whether `strace` is installed and may look into processes."""
    if shutil.which("strace") is None:
        return False
    tried = subprocess.run(
        ("strace", "-o", os.devnull, "true"), capture_output=True, check=False
    )  # fmt: skip
    return tried.returncode == 0


@dataclass(frozen=True)
class Disk:
    """What `strace` has written so far."""

    log: Path

    def refused(self) -> bool:
        """Whether a call has failed."""
        return "(INJECTED)" in self.log.read_text()


@contextmanager
def refusing(cluster: Path, log: Path, which: int) -> Iterator[Disk]:
    """Each process that the postmaster starts from now on fails to flush its log once: the
    `which`th time.
    """
    postmaster = (cluster / "postmaster.pid").read_text().split()[0]
    command = (
        "strace", "-f", "-q", "-o", str(log), "-e", "trace=fdatasync",
        "-e", f"inject=fdatasync:error=EIO:when={which}", "-p", postmaster,
    )  # fmt: skip
    log.write_text("")
    tracer = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        until(lambda: _tracer_of(postmaster) == tracer.pid)
        yield Disk(log)
    finally:
        tracer.terminate()
        tracer.wait()


def _tracer_of(process: str) -> int:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return int(next(one for one in lines if one.startswith("TracerPid:")).split()[1])
