"""Several machines: `worker`, and `queue …`, which puts long work where workers take it from."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pqwatch.cli.frame import Frame, JsonOption, WrongUsageError, app, day_option, frame

if TYPE_CHECKING:
    from pqwatch.tasks import Desk

PANEL = "Run"
queue = typer.Typer(no_args_is_help=True, help="Put long work where `pqwatch worker` takes it from.")
app.add_typer(queue, name="queue", rich_help_panel=PANEL)
Broker = Annotated[
    str | None, typer.Option(metavar="URL", help="RabbitMQ (amqp://) or Redis; else PQWATCH_BROKER_URL.")
]
Name = Annotated[str, typer.Option("--queue", metavar="NAME", help="The name of the queue.")]


def app_of(at: Frame, broker: str | None, name: str = "pqwatch") -> Any:
    """The Celery application of this call. Raises WrongUsageError, SettingsError."""
    from pqwatch import checks
    from pqwatch.tasks import make_app

    try:
        url = checks.broker(broker or at.settings.broker_url)
    except ValueError as error:
        raise WrongUsageError(f"--broker is not understood: expected {error}") from error
    if not url:
        raise WrongUsageError("which broker? --broker URL, or PQWATCH_BROKER_URL")
    options = ["-q"] if at.quiet else ["-v"] * at.verbose
    now = ["--now", at.clock.fixed.isoformat()] if at.clock.fixed is not None else []
    return make_app(at.wiring, url, queue=name, options=[*options, *now])


def desk_of(at: Frame, broker: str | None, name: str = "pqwatch") -> Desk:
    """Where work is put."""
    from pqwatch.tasks import Desk

    return Desk(app_of(at, broker, name))


@app.command(rich_help_panel=PANEL)
def worker(
    ctx: typer.Context,
    broker: Broker = None,
    concurrency: Annotated[
        int, typer.Option(min=1, max=256, metavar="N", help="Tasks at once; else one a processor.")
    ] = os.cpu_count() or 1,
    name: Name = "pqwatch",
) -> int:
    """Work for `watch --broker URL` and `queue`, on as many machines as wanted, until stopped."""
    from pqwatch.tasks import work

    at = frame(ctx)
    celery = app_of(at, broker, name)
    with at.store():
        pass  # made or migrated before there are tasks; each process of the worker opens its own
    at.out().note("working; SIGTERM finishes what is begun and ends")
    return work(celery, concurrency=concurrency, level="INFO" if at.verbose else "WARNING")


@queue.command()
def backfill(
    ctx: typer.Context,
    source: Annotated[str, typer.Argument(metavar="SOURCE")],
    first: Annotated[str, typer.Option("--from", metavar="DATE")],
    last: Annotated[str, typer.Option("--to", metavar="DATE")],
    days: Annotated[int, typer.Option(min=1, metavar="N", help="Days of one task.")] = 7,
    broker: Broker = None,
    name: Name = "pqwatch",
    as_json: JsonOption = False,
) -> None:
    """Historical answers in parts, the newest first; what earlier runs finished is not read again."""
    at = frame(ctx)
    since, until = day_option(first), day_option(last)
    if since is None or until is None or since > until:
        raise typer.BadParameter(f"--from {first} is after --to {last}")
    (chosen,) = at.wiring.sources([source])
    _tell(at, desk_of(at, broker, name).backfill(chosen.NAME, since, until, days=days), as_json)


@queue.command()
def reparse(
    ctx: typer.Context,
    source: Annotated[list[str] | None, typer.Argument(metavar="[SOURCE]...")] = None,
    broker: Broker = None,
    name: Name = "pqwatch",
    as_json: JsonOption = False,
) -> None:
    """Run today's parsers over the archived responses; the worker needs the archive's folder."""
    at = frame(ctx)
    names = [each.NAME for each in at.wiring.sources(source)] if source else []
    _tell(at, desk_of(at, broker, name).reparse(names), as_json)


@queue.command()
def rematch(
    ctx: typer.Context,
    alerts: Annotated[bool, typer.Option("--alerts", help="Send what was not told yet.")] = False,
    broker: Broker = None,
    name: Name = "pqwatch",
    as_json: JsonOption = False,
) -> None:
    """Apply all subscriptions to what is stored, a thousand a task; sends nothing unless --alerts."""
    from storage import subscriptions as rows

    at = frame(ctx)
    desk = desk_of(at, broker, name)
    with at.store() as store, store.read() as conn:
        ids = [each.id for each in rows.every(conn)]
    _tell(at, desk.rematch(ids, alerts=alerts), as_json)


def _tell(at: Frame, tasks: int, as_json: bool) -> None:
    if as_json:
        at.out(as_json).json({"tasks": tasks})
    else:
        at.out().line(f"{tasks} tasks wait for a worker")
