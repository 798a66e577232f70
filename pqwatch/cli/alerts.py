"""Sending: `alerts run`, and the ledger of what was sent: `deliveries`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import nullcontext, redirect_stdout
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pqwatch.cli.frame import Frame, JsonOption, app, frame
from pqwatch.output import Output, local

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from alerts.run import RunReport
    from alerts.setup import Setup
    from storage.ledger import Delivery
    from storage.store import Store

PANEL = "Alerts"
_SHOWN = 200  # rows of a table; a document has them all
alerts = typer.Typer(no_args_is_help=True, help="Match what is pending, send what is due.")
app.add_typer(alerts, name="alerts", rich_help_panel=PANEL)
deliveries = typer.Typer(
    invoke_without_command=True, help="The ledger: what was sent to whom, when, why, what failed."
)
app.add_typer(deliveries, name="deliveries", rich_help_panel=PANEL)


@alerts.command()
def run(
    ctx: typer.Context,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be sent; change nothing.")
    ] = False,
    as_json: JsonOption = False,
) -> int:
    """Match what is pending, send what is due, then exit (cron). Says nothing when there is nothing to say."""
    at = frame(ctx)
    with at.store() as store:
        if dry_run:
            return _rehearse(at, store, as_json)
        from alerts.run import run as run_alerts

        with redirect_stdout(sys.stderr) if as_json else nullcontext():  # stdout is for the one document
            report = run_alerts(store, now=at.now, settings=at.wiring.setup(store))
    out = at.out(as_json)
    if as_json:
        out.json(_report(report))
    else:
        _print_report(out, report)
    return 0 if report.ok else 1


def _rehearse(at: Frame, store: Store, as_json: bool) -> int:
    from pqwatch.rehearsal import rehearse

    found = rehearse(store, at.wiring.setup(store), now=at.now)
    out = at.out(as_json)
    items = [
        {
            "subscription": {"id": d.subscription_id, "name": d.subscription},
            "to": d.to,
            "key": d.key,
            "event": d.event,
            "kind": d.kind,
        }
        for d in found
    ]
    if as_json:
        out.json({"total": len(items), "items": items})
    else:
        out.table(
            ("subscription", "to", "question", "what happened"),
            [(d.subscription, d.to, d.key, d.kind) for d in found],
        )
        out.line(f"{len(found)} would be sent; nothing was")
    return 0


def _report(report: RunReport) -> dict[str, Any]:
    return {
        "changes": report.changes, "rows": report.rows, "caught_up": report.caught_up, "sent": report.sent,
        "retrying": report.retrying, "waiting": report.waiting, "failed": list(report.failed),
        "paused": list(report.paused), "broken": list(report.broken), "down": dict(report.down),
    }  # fmt: skip


def _print_report(out: Output, report: RunReport) -> None:
    """What was sent goes to whoever looks on; what needs a person goes to stderr, which cron mails."""
    if report.sent and out.stdout.isatty():
        out.line(f"{report.sent} sent, {report.waiting} waiting")
    for name, why in report.down.items():
        out.note(f"pqwatch: {name}: nothing gets through: {why}")
    for message in report.failed:
        out.note(f"pqwatch: message {message} failed for good; `pqwatch deliveries` tells why")
    for name in report.paused:
        out.note(f"pqwatch: subscription {name} is paused: its address does not work")
    for name in report.broken:
        out.note(f"pqwatch: subscription {name}: its query cannot be read any more")


@deliveries.callback()
def list_deliveries(
    ctx: typer.Context,
    subscription: Annotated[
        str | None, typer.Option(metavar="ID", help="Only those of one subscription.")
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help=f"The newest N; else all with --json, {_SHOWN} in a table."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """The ledger, the newest first."""
    if ctx.invoked_subcommand is not None:
        return
    from storage import ledger
    from storage import subscriptions as rows

    at, items = frame(ctx), []
    out = at.out(as_json)
    with at.store() as store:
        setup = at.wiring.setup(store)
        with store.read() as conn:
            wanted = rows.find(conn, subscription).id if subscription is not None else None
            found = ledger.listed(conn, subscription_id=wanted)
            shown = found[: limit or (None if as_json else _SHOWN)]
            if as_json:
                items = list(_shapes(conn, shown, setup))
    if as_json:
        out.json({"total": len(found), "items": items})
        return
    _print_deliveries(out, at, shown)
    if len(found) > len(shown):
        out.note(f"{len(found) - len(shown)} older ones are not shown: --limit")


def _shapes(conn: Connection, found: Sequence[Delivery], setup: Setup) -> Iterator[dict[str, Any]]:
    """A part at a time, as the texts that matched are kept while one is made."""
    from alerts.reporting import deliveries_shape
    from storage.bulk import chunks

    for chunk in chunks(found, 1_000):
        yield from deliveries_shape(conn, chunk, setup)


def _print_deliveries(out: Output, at: Frame, found: Sequence[Delivery]) -> None:
    zone = at.settings.timezone
    rows = [
        (
            d.id,
            d.subscription,
            d.to,
            d.key,
            d.kind,
            d.state,
            local(d.sent_at or d.due_at, zone),
            d.error or d.reason or "",
        )
        for d in found
    ]
    out.table(("id", "subscription", "to", "question", "what", "state", "when", ""), rows)


@deliveries.command()
def retry(
    ctx: typer.Context,
    delivery: Annotated[
        int | None, typer.Argument(metavar="ID", help="One of them; else all that failed.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Give what failed for good another chance; it goes out with the next `alerts run`."""
    from alerts import again

    at = frame(ctx)
    with at.store() as store:
        revived = again.retry(store, now=at.now, ids=None if delivery is None else [delivery])
    out = at.out(as_json)
    if as_json:
        out.json({"retried": revived})
    else:
        out.line(f"{revived} messages go out with the next `pqwatch alerts run`")
