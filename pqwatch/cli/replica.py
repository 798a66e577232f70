"""Trying it out: `replica`, `demo`."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Annotated

import typer

from pqwatch.cli.frame import app, frame

PANEL = "Try it"


@app.command(rich_help_panel=PANEL)
def replica(
    ctx: typer.Context,
    port: Annotated[
        int, typer.Option(min=0, max=65534, help="0: any free one. The Welsh pages are at the next.")
    ] = 0,
    at: Annotated[
        str | None, typer.Option(metavar="TIME", help="Where its clock stands; else at the end.")
    ] = None,
) -> None:
    """Serve the bundled replica of the sources, an invented fortnight, until stopped."""
    from pqwatch.replica import serve

    out = frame(ctx).out()
    with serve(port, at) as running:
        out.line(f"listening on {running.url}")
        for name, value in running.settings().items():
            out.line(f"export {name}={value}")
        out.line(f"""curl -d '{{"at": "2026-03-05T08:00Z"}}' {running.url}/_clock    # moves its clock""")
        threading.Event().wait()


@app.command(rich_help_panel=PANEL)
def demo(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Option(metavar="FOLDER", help="Emptied first, if it is a demo's.")] = Path(
        "pqwatch-demo"
    ),
) -> int:
    """The whole main job in one screen: the replica's fortnight, crawled day by day, with alerts."""
    from pqwatch.demo import run

    return run(folder, frame(ctx).out())
