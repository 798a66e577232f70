"""How pqwatch is and how it is set: `status`, `settings`."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from pqwatch.cli.frame import Frame, JsonOption, app, day_option, frame
from pqwatch.output import Output, duration, local

if TYPE_CHECKING:
    from pqwatch.status import SourceStatus, Status
    from pqwatch.troubles import Trouble


@app.command(rich_help_panel="Run")
def status(ctx: typer.Context, as_json: JsonOption = False) -> int:
    """Per source: last success, counts, lag, problems. Exit code 1 when something is wrong."""
    from pqwatch import settings
    from pqwatch import status as statuses

    at = frame(ctx)
    known = settings.in_order(settings.declared())
    with at.store() as store, store.read() as conn:
        found = statuses.read(conn, known, at.settings.sources, now=at.now)
    out = at.out(as_json)
    if as_json:
        out.json(found.to_json())
    else:
        _print(out, at, found)
    return 0 if found.ok else 1


def _print(out: Output, at: Frame, found: Status) -> None:
    from pqwatch.troubles import gathered

    columns = ("source", "last success", "lag", "held", "newest", "problems", "")
    out.table(columns, [_row(source, at) for source in found.sources])
    if found.problems:
        out.line()
        shown = [_problem(trouble, at) for trouble in gathered(found.problems)]
        out.table(("problem", "source", "kind", "since", "times", "what", "where"), shown)
    out.line()
    out.line(f"deliveries: {found.pending} pending, {found.failed} failed")
    out.line("all is well" if found.ok else "something needs attention")


def _problem(trouble: Trouble, at: Frame) -> tuple[object, ...]:
    first = trouble.first
    since = local(first.first_seen, at.settings.timezone)
    return first.id, first.source, first.kind, since, trouble.count, trouble.what, trouble.where


def _row(source: SourceStatus, at: Frame) -> tuple[object, ...]:
    success = source.last_success
    lag = duration(max(0.0, (at.now - success).total_seconds())) if success else "-"
    said = "; ".join(source.faults(at.now)) or ("" if source.enabled else "not enabled")
    if source.enabled and source.last_attempt is None:
        said = "never crawled"
    return (
        source.source, local(success, at.settings.timezone), lag, source.held, source.newest, source.problems, said
    )  # fmt: skip


@app.command(rich_help_panel="Run")
def settings(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """Every setting: its value, where that came from, and what it means. Secrets are masked."""
    at = frame(ctx)
    out = at.out(as_json)
    values = at.settings.values
    if as_json:
        items = [
            {"name": v.setting.variable, "value": v.shown, "origin": v.origin, "default": v.setting.default,
             "meaning": v.setting.meaning}
            for v in values
        ]  # fmt: skip
        out.json({"total": len(items), "items": items})
        return
    rows = ((v.setting.variable, v.shown, v.origin, v.setting.meaning) for v in values)
    out.table(("setting", "value", "from", "meaning"), rows)


@app.command(rich_help_panel="Read")
def coverage(
    ctx: typer.Context,
    source: Annotated[str, typer.Argument(metavar="SOURCE")],
    first: Annotated[
        str | None, typer.Option("--from", metavar="DATE", help="Else four weeks before the last day.")
    ] = None,
    last: Annotated[str | None, typer.Option("--to", metavar="DATE", help="Else today.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Per day: held, expected, missing. By date tabled (TheyWorkForYou: answered; feeds: published)."""
    from scraper.sources import source_named
    from storage import coverage as coverages

    at = frame(ctx)
    name = source_named(source).NAME
    until = day_option(last) or at.clock.today()
    since = day_option(first) or until - timedelta(days=27)
    if since > until:
        raise typer.BadParameter(f"--from {since} is after --to {until}")
    with at.store() as store, store.read() as conn:
        days = coverages.coverage(conn, name, since, until)
    out = at.out(as_json)
    if as_json:
        out.json(coverages.to_json(name, days))
        return
    rows = ((day.date, day.held, day.expected, " ".join(day.missing)) for day in days)
    out.table(("day", "held", "expected", "missing"), rows)
