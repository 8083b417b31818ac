"""`script/release-check`: each part in a process of its own, its figures in docs/release-figures.md.

Every section there names the commit that it was taken on: parts may be run apart.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.benchmarks.report import machine

PROJECT = Path(__file__).parents[1]
FIGURES = PROJECT / "docs" / "release-figures.md"
ALONE = ("pytest", "-q", "-p", "no:cacheprovider")
PYTEST = (*ALONE, "-n", "2")


@dataclass(frozen=True)
class Part:
    """What is run, and how many last lines of it are kept."""

    name: str
    says: str
    command: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)
    keep: int = 1


@dataclass(frozen=True)
class Outcome:
    """How a part ended."""

    part: Part
    passed: bool
    seconds: float
    lines: list[str]


PARTS = (
    Part("batch", "batches beside a hand-written function", ("tests.benchmarks", "batch"), {}, 20),
    Part("one", "one person with the full explanation", ("tests.benchmarks", "one"), {}, 4),
    Part("many", "a thousand requests in one body", ("tests.benchmarks", "many"), {}, 4),
    Part("http", "routes beside fixed JSON of the same size", ("tests.benchmarks", "http"), {}, 4),
    Part("search", "search in Chinese", ("tests.benchmarks", "search"), {}, 20),
    Part("verify", "the audit chain verified", ("tests.benchmarks", "audit"), {}, 3),
    Part("checks", "automatic checks of cases", ("tests.benchmarks", "checks"), {}, 3),
    Part("chat", "what residents say understood", ("tests.benchmarks", "chat"), {}, 6),
    Part("burst", "messages in a burst", ("tests.benchmarks", "delivery"), {}, 8),
    Part(
        "one_sender",
        "the same, one message at a time: the control, which must miss the limit",
        ("tests.benchmarks", "delivery", "control"),
        {},
        2,
    ),
    Part(
        "enumeration",
        "a hundred thousand numbers of others asked for",
        (*ALONE, "tests/miniprogram_api/test_enumeration.py"),
        {"SHUKUN_PROBES": "100000"},
    ),
    Part("match", "a million people matched", ("tests.benchmarks", "match"), {}, 30),
    Part(
        "random",
        "100,000 random cases against the oracle, and 100,000 by columns against one by one",
        (*PYTEST, "tests/estimation/test_estimate_against_oracle.py"),
        {"SHUKUN_RANDOM_CASES": "25000"},
    ),
    Part(
        "properties",
        "5,000 examples of every property of the engine",
        (*PYTEST, "tests/estimation/test_properties.py"),
        {"SHUKUN_PROPERTY_EXAMPLES": "5000"},
    ),
    Part(
        "matching",
        "200,000 people imported, matched, corrected and matched again, against the oracle",
        (*ALONE, "tests/matching/test_against_oracle.py"),
        {"SHUKUN_ORACLE_PEOPLE": "200000"},
    ),
    Part(
        "contract",
        "Schemathesis, 2,000 examples of every operation",
        (*PYTEST, "tests/miniprogram_api/test_contract.py"),
        {"SHUKUN_CONTRACT_EXAMPLES": "2000"},
    ),
    Part(
        "workers",
        "60 kills of workers, 20 of the database; 365 days with two schedulers and 20 kills",
        (*PYTEST, "tests/miniprogram_api/test_worker_kills.py"),
        {
            "SHUKUN_WORKER_KILLS": "60",
            "SHUKUN_DATABASE_KILLS": "20",
            "SHUKUN_SCHEDULE_DAYS": "365",
            "SHUKUN_BEAT_KILLS": "20",
        },
    ),
    Part(
        "kills",
        "240 kills: 80 of the importer, 60 of workers, 20 of `shukun match`, 40 of the database "
        "under a run, 40 of it under an import",
        (
            *ALONE,
            "tests/matching/test_kills.py",
            "tests/citizens/test_import_whole.py",
            "tests/citizens/test_database_kills.py",
        ),
        {
            "SHUKUN_MATCH_KILLS": "120",
            "SHUKUN_TEST_KILLS": "80",
            "SHUKUN_IMPORT_DATABASE_KILLS": "40",
        },
    ),
    Part(
        "runs",
        "200 runs over changing data, half of them killed, each done again three times",
        (*ALONE, "tests/matching/test_runs_over_changing_data.py"),
        {"SHUKUN_MATCH_RUNS": "200"},
    ),
    Part(
        "exits",
        "10,000 deaths and moves: everything ends on the day within one run, nothing after is paid",
        (*ALONE, "tests/matching/test_deaths_and_exits.py"),
        {"SHUKUN_EXITS": "10000"},
    ),
    Part(
        "payments",
        "200 rounds of payment files and returns, half of them killed, each step done three times",
        (*ALONE, "tests/payments/test_paid_exactly_once.py"),
        {"SHUKUN_PAYMENT_ROUNDS": "200"},
    ),
    Part(
        "rotation",
        "100,000 rows get another key while they are read, with kills",
        (*ALONE, "tests/kernel/test_rotation.py", "-k", "nobody_is_lost or killed_again"),
        {"SHUKUN_ROTATION_PEOPLE": "14300"},
    ),
    Part(
        "audit",
        "1,000 tamperings of the audit by a superuser, all found; 100 kills of its sealer",
        (*ALONE, "tests/kernel/test_audit_tampering.py", "tests/kernel/test_audit_kills.py"),
        {"SHUKUN_AUDIT_TAMPERINGS": "1000", "SHUKUN_AUDIT_KILLS": "100"},
    ),
    Part(
        "revocation",
        "1,000 revocations at the next request on each of four workers",
        (*ALONE, "tests/miniprogram_api/test_revocation.py"),
        {"SHUKUN_REVOCATIONS": "1000"},
    ),
    Part(
        "codes",
        "1,000 replays of a code of WeChat: no session",
        (*ALONE, "tests/miniprogram_api/accounts/test_residents.py", "-k", "however_often"),
        {"SHUKUN_REPLAYS": "1000"},
    ),
    Part(
        "delivery",
        "5,000 messages through 75 kills of workers and the database, and a WeChat that fails",
        (*ALONE, "tests/notifications/test_delivery_kills.py"),
        {
            "SHUKUN_DELIVERY_MESSAGES": "5000",
            "SHUKUN_DELIVERY_KILLS": "50",
            "SHUKUN_DELIVERY_DATABASE_KILLS": "25",
        },
    ),
    Part(
        "cases",
        "2,000 walks of 50 steps of a case through everybody's hands, beside a model",
        (*ALONE, "tests/applications/test_case_machine.py"),
        {"SHUKUN_CASE_EXAMPLES": "2000", "SHUKUN_CASE_STEPS": "50"},
    ),
    Part(
        "notices",
        "10,000 people on public notices: nothing of them but what may be shown",
        (*ALONE, "tests/miniprogram_api/public_notices/test_notices_shown.py", "-k", "any_of_them"),
        {"SHUKUN_NOTICE_PEOPLE": "10000"},
    ),
    Part(
        "decided_once",
        "32 reviewers who decide 500 cases at once; 10,000 edits of the same fields",
        (*ALONE, "tests/applications/test_decided_once.py"),
        {
            "SHUKUN_REVIEWERS": "32",
            "SHUKUN_REVIEWED_CASES": "500",
            "SHUKUN_FIELD_EDITS": "10000",
        },
    ),
    Part(
        "submissions",
        "20,000 applications submitted through 100 kills of the site and 100 of the database",
        (*ALONE, "tests/applications/test_submission_kills.py"),
        {"SHUKUN_SUBMISSIONS": "20000", "SHUKUN_SUBMISSION_KILLS": "200"},
    ),
    Part(
        "submitted_once",
        "10,000 keys sent two to twenty times each at once, through 20 kills",
        (*ALONE, "tests/applications/test_submitted_once.py"),
        {"SHUKUN_KEYS_SENT": "10000", "SHUKUN_KEY_KILLS": "20"},
    ),
    Part(
        "refusing_disk",
        "50 commits that the disk refuses: none acknowledged (wants strace)",
        (*ALONE, "tests/applications/test_refusing_disk.py"),
        {"SHUKUN_DISK_REFUSALS": "50"},
    ),
    Part(
        "letters",
        "10,000 single bytes of sealed letters changed, all found",
        (*ALONE, "tests/letters/test_verification.py"),
        {"SHUKUN_LETTER_CHANGES": "10000"},
    ),
)


def main(names: list[str]) -> int:
    """Runs the named parts, or all, and writes their figures after each. 0: all passed."""
    known = {part.name for part in PARTS}
    if not set(names) <= known:
        print(f"parts: {', '.join(sorted(known))}", file=sys.stderr)
        return 2
    passed = True
    for part in PARTS:
        if not names or part.name in names:
            outcome = run(part)
            passed &= outcome.passed
            FIGURES.write_text(page({title(part): section(outcome)}), encoding="utf-8")
    return 0 if passed else 1


def run(part: Part) -> Outcome:
    """One part, its output kept and shown."""
    print(f"== {part.name}: {part.says}", flush=True)
    start = time.monotonic()
    ran = subprocess.run(
        [sys.executable, "-m", *part.command],
        cwd=PROJECT,
        env=os.environ | part.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    lines = [line.rstrip() for line in ran.stdout.splitlines() if line.strip()]
    kept = lines[-part.keep :] if ran.returncode == 0 else lines[-40:]
    print("\n".join(kept), flush=True)
    return Outcome(part, ran.returncode == 0, time.monotonic() - start, kept)


def page(taken: dict[str, str]) -> str:
    """The page with the new sections, by title, in the place of the old ones."""
    known = FIGURES.read_text(encoding="utf-8").split("\n## ")[1:] if FIGURES.exists() else []
    sections = {one.partition("\n")[0]: f"## {one.strip()}\n" for one in known}
    sections |= taken
    head = "# Release figures\n\nWritten by `script/release-check`; not edited by hand.\n"
    return "\n".join([head, *(sections[title(part)] for part in PARTS if title(part) in sections)])


def section(outcome: Outcome) -> str:
    """How a part ended, on which commit and machine."""
    changed = git("status", "--porcelain", "--", ".", f":!{FIGURES.relative_to(PROJECT)}")
    commit = git("rev-parse", "--short", "HEAD") + (" and changes" if changed else "")
    verdict = "passed" if outcome.passed else "FAILED"
    lines = [f"## {title(outcome.part)}", ""]
    lines += [f"{verdict} in {outcome.seconds:.0f} s; commit {commit}; {machine()}", "", "```"]
    return "\n".join([*lines, *outcome.lines, "```", ""])


def git(*arguments: str) -> str:
    """What git says."""
    command = ("git", *arguments)
    ran = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True)
    return ran.stdout.strip()


def title(part: Part) -> str:
    """What the part does, as a heading."""
    return f"{part.says[0].upper()}{part.says[1:]}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
