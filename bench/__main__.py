"""`make bench`: every bench in turn, each in a process of its own, so that none warms up for the next."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

ORDER = (
    "parse",
    "storage",
    "crawl",
    "crawl_peers",
    "matching",
    "search",
    "alerts",
    "rematch",
    "export",
    "web",
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(benches())}; none: all")
    wanted = parser.parse_args().names or benches()
    unknown = set(wanted) - set(benches())
    if unknown:
        parser.error(f"no bench {', '.join(sorted(unknown))}: there are {', '.join(benches())}")
    failed = []
    for name in wanted:
        print(f"\n== {name}", flush=True)
        if subprocess.run([sys.executable, "-m", f"bench.{name}"], check=False).returncode:
            failed.append(name)
    if failed:
        print(f"\nended with an error: {', '.join(failed)}")
    return 1 if failed else 0


def benches() -> list[str]:
    """Those that stand in this folder, in their order."""
    here = Path(__file__).parent
    return [name for name in ORDER if (here / f"{name}.py").exists()]


if __name__ == "__main__":
    sys.exit(main())
