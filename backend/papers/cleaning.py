"""清洗 (cleaning): a file given to the cleaner's process, and what comes back of it.

The process gets nothing of ours: no environment, no open files. It ends by its own limits, or is
ended; what it did to itself over the file counts against the file, what was done to it does not.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Timer
from typing import IO, Final

import msgspec

from backend.kernel.settings import PROJECT
from backend.papers.head import MOST_CLEANED, Head
from backend.papers.reasons import REASONS, NotTaken

PATIENCE_S: Final = 90.0
"""Of the clock: the processor may be busy with others."""
MEDIA: Final = {"image/jpeg": b"\xff\xd8\xff", "application/pdf": b"%PDF-"}
"""What cleaned files are, and how they begin."""
_LONGEST_HEAD: Final = 200
_COMMAND: Final = (sys.executable, "-B", "-E", "-s", "-m", "backend.papers.cleaner")
_ENVIRONMENT: Final = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "MALLOC_ARENA_MAX": "1"}
_OWN_FAULT: Final = frozenset(
    {signal.SIGXCPU, signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL, signal.SIGFPE,
     signal.SIGTRAP, signal.SIGXFSZ, signal.SIGSYS}
)  # fmt: skip
"""How a process ends that its file brought down."""


class CleanerEnded(Exception):
    """The cleaner was ended before it said anything: to be tried again."""


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A file drawn anew. `media`: of `MEDIA`."""

    media: str
    pages: int
    content: bytes


def cleaned(pieces: Iterable[bytes]) -> Cleaned:
    """The file of these pieces, drawn anew. Raises `NotTaken`, `CleanerEnded`."""
    with _process() as process:
        assert process.stdin is not None
        assert process.stdout is not None
        with suppress(BrokenPipeError):
            for piece in pieces:
                process.stdin.write(piece)
            process.stdin.close()
        head, content = _said(process.stdout)
        status = process.wait()
    if status != 0:
        raise _reason(status)
    return _checked(head, content)


@contextmanager
def _process() -> Iterator[subprocess.Popen[bytes]]:
    """The cleaner; it is gone at the end, and after `PATIENCE_S` in any case."""
    process = subprocess.Popen(
        _COMMAND, cwd=PROJECT, env=_ENVIRONMENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    timer = Timer(PATIENCE_S, process.kill)
    timer.start()
    try:
        yield process
    finally:
        timer.cancel()
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            with suppress(BrokenPipeError):
                pipe.close()  # type: ignore[union-attr]


def _said(out: IO[bytes]) -> tuple[bytes, bytes]:
    """The head and what follows, never more than there may be."""
    return out.readline(_LONGEST_HEAD), out.read(MOST_CLEANED + 1)


def _reason(status: int) -> Exception:
    if -status in _OWN_FAULT:
        return NotTaken("too_heavy")
    return CleanerEnded(f"ended with status {status}")


def _checked(head: bytes, content: bytes) -> Cleaned:
    """What was said, not believed beyond its form."""
    try:
        said = msgspec.json.decode(head, type=Head)
    except msgspec.DecodeError as error:
        raise CleanerEnded("said nothing") from error
    if said.refused:
        raise NotTaken(said.refused if said.refused in REASONS else "unreadable")
    begins = MEDIA.get(said.media)
    if begins is None or not content.startswith(begins) or len(content) != said.size:
        raise NotTaken("unreadable")
    return Cleaned(said.media, said.pages, content)
