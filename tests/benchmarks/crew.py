"""Two worker processes as they run in earnest, with the CPU and memory that they take."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from backend.kernel.settings import PROJECT

WORKERS: Final = 2
TICK: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Crew:
    """The workers, and the folder of the database's cluster, whose processes are counted too."""

    processes: list[subprocess.Popen[bytes]]
    cluster: Path

    def cpu(self) -> tuple[float, float]:
        """CPU seconds so far of the workers, and of the database's processes alive and gone."""
        own = sum(cpu_of(process.pid)[0] for process in self.processes)
        server = int((self.cluster / "postmaster.pid").read_text().split()[0])
        return own, sum(cpu_of(server)) + sum(cpu_of(child)[0] for child in children_of(server))

    def peak_mb(self) -> float:
        """The largest resident memory that any worker ever had."""
        return max(_peak_kib(process.pid) for process in self.processes) / 1024


@contextmanager
def crew(folder: Path, url: str) -> Iterator[Crew]:
    """Workers on the database, up before the block begins."""
    environment = os.environ | {"DATABASE_URL": url, "SHUKUN_DATA": str(folder / "data")}
    command = [sys.executable, "-m", "miniprogram_api", "worker", "--queues", "matching"]
    log = folder / "workers.log"
    with log.open("wb") as output:
        processes = [
            subprocess.Popen(command, env=environment, cwd=PROJECT, stdout=output, stderr=output)
            for _ in range(WORKERS)
        ]
    try:
        while log.read_text().count("后台任务已就绪") < WORKERS:
            if any(process.poll() is not None for process in processes):
                raise SystemExit(log.read_text())
            time.sleep(0.1)
        time.sleep(2)
        yield Crew(processes, folder / "data" / "postgres")
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()


def cpu_of(pid: int) -> tuple[float, float]:
    """CPU seconds of a process, and of its children that ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    user, system, gone_user, gone_system = map(int, fields[11:15])
    return (user + system) / TICK, (gone_user + gone_system) / TICK


def children_of(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in tasks]


def _peak_kib(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    raise ValueError("no VmHWM in the status of the process")
