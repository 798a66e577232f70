"""Fetching: `crawl`, `recheck`, `backfill`, and `reparse`, which fetches nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pqwatch.cli.frame import Frame, JsonOption, app, day_option, frame
from pqwatch.output import Output, duration

if TYPE_CHECKING:
    from scraper.engine import Engine, SourceReport
    from scraper.source import Source
    from storage.problems import OpenProblem
    from storage.store import Store

PANEL = "Run"
Sources = Annotated[
    list[str] | None, typer.Argument(metavar="[SOURCE]...", help="Those named, else all that are enabled.")
]


@app.command(rich_help_panel=PANEL)
def crawl(
    ctx: typer.Context,
    sources: Sources = None,
    since: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="What happened from that day on, not the usual windows."),
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="DATE", help="What happened up to that day.")] = None,
    from_file: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", exists=True, file_okay=False, help="Read pages that a person saved."),
    ] = None,
    as_json: JsonOption = False,
) -> int:
    """One pass over the sources, then exit (cron). Says nothing when all is well and nobody looks on."""
    first, last = day_option(since), day_option(until)
    if first is not None and last is not None and first > last:
        raise typer.BadParameter(f"--since {first} is after --until {last}")
    at = frame(ctx)
    if first is not None and last is None and first > at.clock.today():
        raise typer.BadParameter(f"--since {first} is after today, {at.clock.today()}")
    if from_file is not None:
        return _crawl_files(at, sources or [], from_file, as_json)
    chosen = at.wiring.sources(sources or [])
    return work(at, chosen, lambda engine: engine.crawl(chosen, since=first, until=last), as_json)


def _crawl_files(at: Frame, names: Sequence[str], folder: Path, as_json: bool) -> int:
    """Pages that a person saved, of one source."""
    from scraper.from_files import read_folder
    from scraper.sources import source_named

    if len(names) != 1:
        raise typer.BadParameter("--from-file reads the pages of one SOURCE: name it")
    source = source_named(names[0])
    base = next((at.settings.source_values[s.name] for s in source.SETTINGS if s.name.endswith("_url")), "")

    def read(engine: Engine) -> list[SourceReport]:
        return [
            read_folder(source, folder, base=base, store=engine.store, archive=engine.archive, now=engine.now)
        ]

    return work(at, [], read, as_json)


@app.command(rich_help_panel=PANEL)
def backfill(
    ctx: typer.Context,
    source: Annotated[str, typer.Argument(metavar="SOURCE")],
    first: Annotated[str, typer.Option("--from", metavar="DATE")],
    last: Annotated[str, typer.Option("--to", metavar="DATE")],
    restart: Annotated[
        bool, typer.Option("--restart", help="Read again what earlier runs finished.")
    ] = False,
    alerts: Annotated[
        bool, typer.Option("--alerts", help="Send alerts for what is found; without it nobody hears.")
    ] = False,
    part: Annotated[
        bool, typer.Option("--part", hidden=True, help="Other days may be read at the same time.")
    ] = False,
    as_json: JsonOption = False,
) -> int:
    """Historical answers, newest first; goes on where it was stopped."""
    since, until = day_option(first), day_option(last)
    if since is None or until is None or since > until:
        raise typer.BadParameter(f"--from {first} is after --to {last}")
    at = frame(ctx)
    chosen = at.wiring.sources([source])
    reports: list[SourceReport] = []

    def fill(engine: Engine) -> list[SourceReport]:
        reports.append(engine.backfill(chosen[0], since, until, restart=restart, alerts=alerts, part=part))
        return reports

    code = work(at, chosen, fill, as_json, windows=True)
    unfinished = part and not all(report.complete for report in reports)
    return code or int(unfinished)  # who gave out the part tries again, also where the cause is known


@app.command(rich_help_panel=PANEL)
def recheck(ctx: typer.Context, as_json: JsonOption = False) -> int:
    """Look again at answered questions that are due for it: an undeclared edit shows in no list."""
    at = frame(ctx)
    chosen = at.wiring.sources([])
    return work(at, chosen, lambda engine: engine.recheck(chosen), as_json)


@app.command(rich_help_panel=PANEL)
def reparse(ctx: typer.Context, source: Sources = None, as_json: JsonOption = False) -> int:
    """Run today's parsers over the archived responses, no network; sends nothing."""
    from scraper.reparse import reparse as read_again
    from scraper.sources import all_sources, source_named

    at = frame(ctx)
    chosen = [source_named(name) for name in source or all_sources()]

    def again(engine: Engine) -> list[SourceReport]:
        return read_again(
            chosen, store=engine.store, archive=engine.archive, now=engine.now, progress=engine.progress
        )

    return work(at, [], again, as_json)


def work(
    at: Frame,
    chosen: Sequence[Source],
    do: Callable[[Engine], list[SourceReport]],
    as_json: bool,
    *,
    windows: bool = False,
) -> int:
    """Let the engine do a job and report: figures on stdout, those of its windows too where asked for, and what a person must
    see on stderr. The exit code."""
    from pqwatch import progress
    from pqwatch.cli.search import make_index_whole

    out = at.out(as_json)
    _warn_without_contact(at, chosen)
    with at.store() as store, at.wiring.archive() as archive, progress.shown(out) as tell:
        make_index_whole(store, out if out.stderr.isatty() else replace(out, quiet=True))
        before = {problem.news for problem in _open(store)}
        reports = do(at.wiring.engine(store, archive, tell))
        new = [problem for problem in _open(store) if problem.news not in before]
    if as_json:
        out.json({"sources": [report.to_json(windows=windows) for report in reports]})
    elif out.stdout.isatty():
        _print(out, reports, windows=windows)
    complain(out, reports, new)
    return exit_code(reports)


def exit_code(reports: Sequence[SourceReport]) -> int:
    """130 interrupted, 3 another run holds a lock, 1 something new needs attention, 0 done."""
    if any(report.interrupted for report in reports):
        return 130
    if any(report.locked for report in reports):
        return 3
    return 0 if all(report.ok for report in reports) else 1


def _warn_without_contact(at: Frame, chosen: Sequence[Source]) -> None:
    from pqwatch.checks import is_loopback
    from scraper.source import addresses_asked

    asked = [address for source in chosen for address in addresses_asked(source, at.settings.source_values)]
    if not all(map(is_loopback, asked)) and not at.settings.contact:
        at.out().note("pqwatch: PQWATCH_CONTACT is empty: a source that wants to reach you cannot")


def _open(store: Store) -> list[OpenProblem]:
    from storage.problems import open_problems

    with store.read() as conn:
        return open_problems(conn)


def _print(out: Output, reports: Sequence[SourceReport], *, windows: bool) -> None:
    counted = ("windows", "gaps") if windows else ()
    columns = ("source", "requests", *counted, "seen", "new", "versions", "problems", "time")
    out.table(columns, [_row(report, windows=windows) for report in reports])


def _row(report: SourceReport, *, windows: bool) -> tuple[object, ...]:
    kinds = ", ".join(f"{count} {kind}" for kind, count in report.versions.items())
    counted = (report.windows, report.gaps) if windows else ()
    took = duration(report.seconds)
    return report.source, report.requests, *counted, report.seen, report.new, kinds, report.problems, took


def complain(out: Output, reports: Sequence[SourceReport], new: Sequence[OpenProblem]) -> None:
    """What cron mails: one line for each thing that is wrong; errors are said even with -q."""
    from pqwatch.troubles import gathered

    loud = Output(stdout=out.stdout, stderr=out.stderr)
    for report in reports:
        for said in (report.locked, report.error):
            if said:
                loud.note(f"pqwatch: {report.source}: {said}")
        if report.interrupted:
            loud.note(f"pqwatch: {report.source}: interrupted; the next pass goes on")
    for trouble in gathered(new):
        first = trouble.first
        loud.note(f"pqwatch: {first.source}: {first.kind}: {trouble.what} ({trouble.where})")
