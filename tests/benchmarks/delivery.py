"""Messages from notices to phones: how soon each is tried first. `script/benchmark delivery`.

`python -m tests.benchmarks delivery [MESSAGES ...]` (default 1,000 and 10,000), `... control`. Two
workers, a durable database, the simulator of WeChat and the site that takes its pushes, all on this
machine. The control sends one message at a time to a WeChat that takes its usual time, and must
miss the limit.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Final

from tests.benchmarks.report import machine
from tests.support.mailroom import DAY_AND_NIGHT, Mailroom, mailroom, until

BURSTS: Final = (1_000, 10_000)
LIMITS: Final = {1_000: 10.0, 10_000: 90.0}
"""Messages of a burst → seconds within which 95 of 100 must have been tried."""
WORKERS: Final = 2
CONTROL: Final = "from backend.notifications import delivery\ndelivery.SENDERS = 1\n"
_ANSWERS_IN_MS: Final = 100
SEND: Final = "/cgi-bin/message/subscribe/send"
_FIRST: Final = (
    "SELECT extract(epoch FROM min(a.claimed_at) - n.owed_at)::float8 FROM notice_due AS n"
    " JOIN message AS m ON (m.person_id, m.event, m.cause) = (n.person_id, n.kind, n.cause)"
    " JOIN message_attempt AS a ON a.message_id = m.id WHERE n.cause = :cause"
    " GROUP BY n.id ORDER BY 1"
)


def main(arguments: list[str]) -> None:
    """Prints how soon; exit status 1 where it is too late, or the control is not."""
    if arguments == ["control"]:
        print(machine())
        if measured(BURSTS[0], CONTROL):
            raise SystemExit("the control was soon enough: the measure notices nothing")
        return
    bursts = tuple(map(int, arguments)) or BURSTS
    print(machine())
    missed = [burst for burst in bursts if not measured(burst)]
    if missed:
        raise SystemExit(f"missed: {missed}")


def measured(burst: int, sabotage: str = "") -> bool:
    """One burst on a fresh site; whether it was soon enough."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder, mailroom(Path(folder)) as room:
        room.before = DAY_AND_NIGHT + sabotage
        if sabotage:
            room.wechat.fault("slow", SEND, ms=_ANSWERS_IN_MS)
        people = room.recipients.crowd(room.wechat, burst)
        room.work(WORKERS)
        until(lambda: (Path(folder) / "log").read_text().count("就绪") >= WORKERS)
        time.sleep(3)
        began = time.monotonic()
        room.owe(people)
        room.drain(600)
        took = time.monotonic() - began
        room.rest()
        waits = first_tries(room)
    assert len(waits) == burst
    p95 = waits[int(len(waits) * 0.95) - 1]
    limit = LIMITS.get(burst, LIMITS[10_000] * max(burst / 10_000, 1))
    print(
        f"{burst:,} messages: first tried after {waits[len(waits) // 2]:.1f} s (median),"
        f" {p95:.1f} s (95 of 100; limit {limit:.0f}), {waits[-1]:.1f} s (last);"
        f" all ended after {took:.1f} s, {burst / took:,.0f} a second"
    )
    return p95 <= limit


def first_tries(room: Mailroom) -> list[float]:
    """Seconds from the notice to the first attempt, shortest first."""
    return [seconds for (seconds,) in room.recipients.rows(_FIRST, cause="match_run:1")]
