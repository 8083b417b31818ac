"""清洗进程 (cleaner): a process of its own that reads one file and draws it anew, or says why not.

What a file can do to the decoders it does here: with so much memory and time and no more, without
files, keys or the database. It reads from standard input; on standard output stand a line of JSON
and then the new file.
"""

from __future__ import annotations

import resource
import sys
from typing import Final

import msgspec

from backend.papers.head import MOST_CLEANED, Head
from backend.papers.judging import PDF, judged
from backend.papers.pages import bound, pages_of
from backend.papers.reasons import NotTaken
from backend.papers.redrawing import redrawn

MEMORY: Final = 1024 * 1024 * 1024
"""Bytes of address space, the libraries included."""
SECONDS: Final = 20
"""Of the processor."""


def main() -> None:
    """Clean what comes in."""
    _confine()
    head, cleaned = _outcome(sys.stdin.buffer.read())
    out = sys.stdout.buffer
    out.write(msgspec.json.encode(head) + b"\n")
    out.write(cleaned)
    out.flush()


def _confine() -> None:
    """For good: the process cannot raise its limits again."""
    for what, soft, hard in (
        (resource.RLIMIT_AS, MEMORY, MEMORY),
        (resource.RLIMIT_CPU, SECONDS, SECONDS + 5),  # told by a signal of its own first
        (resource.RLIMIT_FSIZE, 0, 0),
        (resource.RLIMIT_CORE, 0, 0),
    ):
        most = resource.getrlimit(what)[1]
        hard = hard if most == resource.RLIM_INFINITY else min(hard, most)
        resource.setrlimit(what, (min(soft, hard), hard))


def _outcome(data: bytes) -> tuple[Head, bytes]:
    try:
        media, pages, cleaned = _cleaned(data)
    except NotTaken as refusal:
        return Head(refused=refusal.reason), b""
    except MemoryError:
        return Head(refused="too_heavy"), b""
    except Exception:  # decoders raise whatever comes to them over files that are none
        return Head(refused="unreadable"), b""
    if len(cleaned) > MOST_CLEANED:
        return Head(refused="too_heavy"), b""
    return Head("", media, pages, len(cleaned)), cleaned


def _cleaned(data: bytes) -> tuple[str, int, bytes]:
    decoder = judged(data)
    if decoder != PDF:
        return "image/jpeg", 1, redrawn(data, decoder)
    pages = pages_of(data)
    return "application/pdf", len(pages), bound(pages)


if __name__ == "__main__":
    main()
