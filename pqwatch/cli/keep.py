"""Keeping and proving: `evidence`, `verify`, `backup`, `restore`, `compact`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pqwatch.cli.frame import JsonOption, app, frame
from pqwatch.output import Output

if TYPE_CHECKING:
    from pqwatch.compact import CompactReport
    from storage.backup import BackupReport

PANEL = "Keep"


@app.command(rich_help_panel=PANEL)
def evidence(
    ctx: typer.Context,
    key: Annotated[str, typer.Argument(metavar="KEY")],
    out: Annotated[Path, typer.Option(metavar="FILE.zip", help="Appears when it is whole.")],
    as_json: JsonOption = False,
) -> None:
    """Raw responses (WARC), every version, hashes and a citation of one question, in a file that anyone can check."""
    from pqwatch import evidence as packs
    from pqwatch.cli.read import held
    from pqwatch.files import write_whole

    at = frame(ctx)
    record = held(at, key)
    with at.wiring.archive() as archive:
        body = packs.make(record, archive, now=at.now)
    write_whole(out, body)
    told = at.out(as_json)
    if as_json:
        told.json({"key": record.key, "file": out, "versions": len(record.versions), "bytes": len(body)})
    else:
        told.line(f"{record.key}: {len(record.versions)} versions in {out}")


@app.command(rich_help_panel=PANEL)
def verify(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE.zip")],
    as_json: JsonOption = False,
) -> int:
    """Check an evidence pack: every hash, and that each version rests on a response in it. Needs no database."""
    from pqwatch import evidence as packs

    verdict = packs.verify(file)
    out = frame(ctx).out(as_json)
    if as_json:
        found = {"versions": verdict.versions, "responses": verdict.responses, "files": verdict.files}
        out.json({"ok": verdict.ok, "key": verdict.key, **found, "faults": verdict.faults})
    else:
        for fault in verdict.faults:
            out.note(f"pqwatch: {file}: {fault}")
        out.line(
            f"{verdict.key}: {verdict.versions} versions on {verdict.responses} responses: {_said(verdict.ok)}"
        )
    return 0 if verdict.ok else 1


def _said(ok: bool) -> str:
    return "whole and unchanged" if ok else "NOT as it was packed"


@app.command(rich_help_panel=PANEL)
def backup(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file; it appears when it is whole.")],
    as_json: JsonOption = False,
) -> None:
    """Database and archive in one checked file, taken while both are in use."""
    from storage.backup import backup as back_up

    at = frame(ctx)
    with at.store() as store:
        report = back_up(store, at.wiring.make_data_folder() / "archive", file, now=at.now)
    _tell(at.out(as_json), report, "holds")


@app.command(rich_help_panel=PANEL)
def restore(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `pqwatch backup` wrote.")],
    as_json: JsonOption = False,
) -> None:
    """Fill an empty database and an empty archive from a backup: all of it, or nothing is touched."""
    from storage.backup import restore as bring_back

    at = frame(ctx)
    report = bring_back(file, at.settings.database_url, at.settings.data_dir / "archive")
    with at.store():
        pass  # brings an older schema to the present one, so that a fault shows now
    _tell(at.out(as_json), report, "restored:")


def _tell(out: Output, report: BackupReport, word: str) -> None:
    if out.as_json:
        out.json(
            {"file": report.path, "database": report.dialect, "made": report.made_at, "archive_files": report.files,
             "bytes": report.bytes}
        )  # fmt: skip
        return
    size = f"{report.bytes:,} bytes"
    out.line(
        f"{report.path} {word} a {report.dialect} database and {report.files} files of the archive, {size}"
    )


@app.command(rich_help_panel=PANEL)
def compact(ctx: typer.Context, as_json: JsonOption = False) -> int:
    """Free what is no longer needed: superseded list pages, old notes of runs, the database's own slack."""
    from pqwatch import progress
    from pqwatch.compact import compact as free

    at = frame(ctx)
    out = at.out(as_json)
    with at.store() as store, progress.shown(out) as tell:
        report = free(store, at.wiring.make_data_folder() / "archive", now=at.now, progress=tell)
    if as_json:
        out.json(report.to_json())
    else:
        _print_compact(out, report)
    return 0


def _print_compact(out: Output, report: CompactReport) -> None:
    rows = [
        ("archive", report.archive.bytes_before, report.archive.bytes_after),
        ("database", report.database_before, report.database_after),
    ]
    out.table(("", "bytes before", "bytes after"), [(name, f"{a:,}", f"{b:,}") for name, a, b in rows])
    done = report.archive
    out.line(
        f"{done.dropped} superseded list pages freed, {done.rewritten} files rewritten; {report.runs} old runs"
    )
    if done.waiting:
        out.line(
            f"{done.waiting} files are in use or referred to by one that is; they wait for the next time"
        )
    if not report.vacuumed:
        out.line("a run is at work, so the database file was not packed; it is, when none is")
