"""The scheduler: `watch`."""

from __future__ import annotations

import signal
from typing import Annotated

import typer

from pqwatch.cli.frame import app, frame


@app.command(rich_help_panel="Run")
def watch(
    ctx: typer.Context,
    broker: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Put the jobs there for `pqwatch worker`; else PQWATCH_BROKER_URL."),
    ] = None,
    queue: Annotated[
        str, typer.Option("--queue", metavar="NAME", help="With a broker: the name of the queue.")
    ] = "pqwatch",
) -> int:
    """The scheduler: crawls, rechecks, alerts, digests, health; until stopped."""
    from pqwatch.watch import Watch, stopped_by_signals

    at = frame(ctx)
    options = ["-q"] if at.quiet else ["-v"] * at.verbose
    desk = None
    if broker or at.settings.broker_url:
        from pqwatch.cli.worker import desk_of

        desk = desk_of(at, broker, queue)
    with at.store() as store:
        watching = Watch(at.wiring, store, at.clock.running(), options=options, desk=desk)
        with stopped_by_signals(watching.stop) as came:
            at.out().note("watching; SIGTERM or Ctrl-C ends it")
            watching.run()
    return 130 if signal.SIGINT in came else 0
