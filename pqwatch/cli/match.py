"""Queries against what is there: `match`, `explain`, `rematch`."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pqwatch.cli.frame import JsonOption, app, as_typed, frame
from pqwatch.output import Output

if TYPE_CHECKING:
    from alerts.rematch import Progress, Rematched
    from scraper.run import Progress as Bars

PANEL = "Alerts"
_QUERIES = 1 << 30  # bytes of a file of queries


@app.command(rich_help_panel=PANEL)
def match(
    ctx: typer.Context,
    queries: Annotated[Path, typer.Argument(metavar="QUERIES", help="A file, one query a line.")],
    file: Annotated[
        Path, typer.Argument(metavar="FILE.jsonl", help="JSON Lines of the `show` shape; also .gz.")
    ],
    ids: Annotated[bool, typer.Option("--ids", help="Only which match, not where.")] = False,
) -> int:
    """Which documents match which queries; no database. One JSON line a match. Exit code 1 where a line is bad."""
    from alerts.batch import Tally, match_lines, open_lines, read_queries
    from pqwatch.files import read_whole

    at = frame(ctx)
    out, loud = at.out(), Output()
    with as_typed():
        text = read_whole(queries, _QUERIES).decode("utf-8", "replace")
        read = read_queries(
            text.split("\n"), lambda said: loud.note(f"pqwatch: {queries}: {said}"), at.wiring.topics()
        )
    tally = Tally()

    def report(said: str) -> None:
        loud.note(f"pqwatch: {file}: {said}")

    with open_lines(file) as lines:
        for line in match_lines(read, lines, report, tally, today=at.clock.today(), ids=ids):
            out.raw(line.decode())
    return 1 if read.bad or tally.bad else 0


@app.command(rich_help_panel=PANEL)
def explain(
    ctx: typer.Context,
    subscription: Annotated[str, typer.Argument(metavar="SUBSCRIPTION", help="Its id or its name.")],
    key: Annotated[str, typer.Argument(metavar="KEY")],
    as_json: JsonOption = False,
) -> None:
    """Why this was, or was not, sent: branch by branch, version by version, and what became of it."""
    from alerts.explained import explanation
    from pqwatch.cli.read import NotHeldError
    from storage import questions
    from storage import subscriptions as rows

    at = frame(ctx)
    with at.store() as store:
        setup = at.wiring.setup(store)
        with store.read() as conn:
            found = rows.find(conn, subscription)
            held = questions.ids_of(conn, [key])
            if not held:
                raise NotHeldError(f"{key} is not held here")
            told = explanation(conn, found, held[key], setup, now=at.now)
    out = at.out(as_json)
    if as_json:
        out.json(told)
    else:
        _print_explanation(out, told)


def _print_explanation(out: Output, told: dict[str, Any]) -> None:
    verdict = "matches" if told["matches"] else "does not match"
    out.line(
        f"{told['subscription']['name']} {verdict} {told['key']} as it stands (version {told['version']})"
    )
    _print_node(out, told["tree"], 1)
    out.line()
    out.table(
        ("version", "what happened", "matches", ""),
        [(each["version"], each["kinds"], each["matches"], each["why"]) for each in told["versions"]],
    )
    if told["events"]:
        out.line()
        columns = ("event", "kind", "state", "due", "sent", "reason", "error")
        out.table(columns, [tuple(event[name] for name in columns) for event in told["events"]])


def _print_node(out: Output, node: dict[str, Any], depth: int) -> None:
    """A line a branch: yes or no, what was asked, where it was found or what is there instead."""
    found = [f"{place['part']}: {place['text']}" for place in node.get("found", [])[:3]]
    more = f" and {node['many'] - len(found)} more" if node.get("many", 0) > len(found) else ""
    there = f"  ({', '.join(node['there']) or 'nothing'} there)" if "there" in node else ""
    places = f"  ({'; '.join(found)}{more})" if found else ""
    out.line(f"{'  ' * depth}{'yes' if node['holds'] else 'no ':<3} {node['text']}{places}{there}")
    for child in node.get("children", []):
        _print_node(out, child, depth + 1)


@app.command(rich_help_panel=PANEL)
def rematch(
    ctx: typer.Context,
    subscription: Annotated[
        str | None, typer.Argument(metavar="[SUBSCRIPTION]", help="Its id or its name; else all.")
    ] = None,
    alerts: Annotated[
        bool, typer.Option("--alerts", help="Send what was not told yet with the next `alerts run`.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Apply subscriptions to what is already stored, every version; sends nothing unless --alerts."""
    from alerts.rematch import Rematch
    from pqwatch import progress
    from storage import subscriptions as rows

    at = frame(ctx)
    out = at.out(as_json)
    with ExitStack() as stack:
        store = stack.enter_context(at.store())
        tell = stack.enter_context(progress.shown(out))
        with store.read() as conn:
            wanted = rows.every(conn) if subscription is None else [rows.find(conn, subscription)]
        found = Rematch(store, at.wiring.setup(store), at.now, alerts).run(wanted, _progress(tell))
    if as_json:
        out.json({"total": len(found), "items": [each.shape() for each in found]})
    else:
        _print_rematch(out, found, alerts)


def _progress(tell: Bars) -> Progress:
    from scraper.run import Step

    def told(done: int, total: int, per_second: float) -> None:
        left = (total - done) / per_second if per_second else None
        tell(Step("archive", "rematch", done, total, per_second, left))

    return told


def _print_rematch(out: Output, found: list[Rematched], alerts: bool) -> None:
    columns = ("id", "subscription", "questions", "events", "told before", "to be sent")
    rows = [(f.subscription.id, f.subscription.name, f.questions, f.events, f.told, f.rows) for f in found]
    out.table(columns, rows)
    out.line(
        "it goes out with the next `pqwatch alerts run`" if alerts else "nothing is sent: --alerts does that"
    )
