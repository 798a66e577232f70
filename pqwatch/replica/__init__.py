"""A replica of the sources: an invented fortnight of March 2026 on this machine, moved by a clock.

    with serve(at="2026-03-04T08:00Z") as replica:
        replica.url, replica.cy_url, replica.set_clock("2026-03-05T08:00Z"), replica.settings()

Everything it says is made up and lies as readable TOML in `data/`. It behaves as the real sites are known to (see the
docstrings of `parliament`, `theyworkforyou`, `parallelparliament`, `feed`), and it can misbehave on demand (`/_fault`).
"""

from __future__ import annotations

from pqwatch.replica.server import Replica, serve

__all__ = ["Replica", "serve"]
