"""Pictures of the main pages at both widths, light and dark, over what the demo leaves behind.

python -m tests.screenshots [FOLDER]       default: screenshots/
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from pqwatch import settings
from pqwatch.clock import Clock
from pqwatch.web.site import Site
from pqwatch.wiring import Wiring
from tests.browser import chromium, picture, serving, show

STAR = "/commons/2026-03-02/117201"
THEN = datetime(2026, 3, 14, 9, tzinfo=UTC)
WIDTHS = (360, 1440)
PAGES = {
    "home": "/",
    "search": "/?q=cocaine+OR+heroin",
    "mistake": "/?q=cocaine+NEAR%2F10",
    "question": STAR,
    "diff": f"{STAR}/diff?from=1&to=3",
    "subscribe": "/subscribe?q=cocaine+OR+heroin",
    "topics": "/topics",
    "topic": "/topics/drugs",
    "sources": "/sources",
    "source": "/sources/parliament?month=2026-03",
    "help": "/help",
    "missing": "/nowhere",
}


def demo(folder: Path) -> Path:
    """Runs the demo; the folder with its database."""
    command = [sys.executable, "-m", "pqwatch", "demo", "--folder", str(folder / "demo")]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=180)
    return folder / "demo"


def take(data: Path, into: Path) -> int:
    """All pictures; returns how many."""
    made = 0
    found = settings.load({**os.environ, "PQWATCH_DATA_DIR": str(data)}, data)
    wiring = Wiring(found, Clock(THEN))
    with wiring.store() as store:
        site = Site(store, found, wiring.setup(store), wiring.clock)
        with serving(site) as address, chromium() as driver:
            for name, path in PAGES.items():
                for width in WIDTHS:
                    for scheme in ("light", "dark"):
                        show(driver, address + path, width=width, scheme=scheme)
                        picture(driver, into / f"{name}-{width}-{scheme}.png")
                        made += 1
    return made


def main() -> None:
    into = Path(sys.argv[1] if len(sys.argv) > 1 else "screenshots")
    into.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        print(f"{take(demo(Path(folder)), into)} pictures in {into}")


if __name__ == "__main__":
    main()
