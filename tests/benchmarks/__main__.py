"""`python -m tests.benchmarks NAME [...]`: runs the benchmark of that name."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

HELPERS = frozenset(
    {
        "__main__",
        "crew",
        "delivered",
        "http_site",
        "load",
        "population",
        "progress_rows",
        "progress_site",
        "report",
        "wuxi_peer",
    }
)


def main(arguments: list[str]) -> int:
    """Runs one benchmark; 2: there is none of this name."""
    names = sorted({path.stem for path in Path(__file__).parent.glob("*.py")} - HELPERS)
    if not arguments or arguments[0] not in names:
        print(f"用法：script/benchmark {{{'|'.join(names)}}} [选项]", file=sys.stderr)
        return 2
    module = import_module(f"tests.benchmarks.{arguments[0]}")
    module.main(arguments[1:])
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
