"""Looking after subscribers: `audit`, `bounces`, `forget`, `webhook test|replay`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from pqwatch.cli.frame import JsonOption, app, as_typed, frame

PANEL = "Alerts"
_MAILBOX = 64 * 1024 * 1024  # bytes; more than that is no evening's bounces
webhook = typer.Typer(no_args_is_help=True, help="Try a webhook, or send it all it had once more.")
app.add_typer(webhook, name="webhook", rich_help_panel=PANEL)
Reference = Annotated[str, typer.Argument(metavar="SUBSCRIPTION", help="Its id or its name.")]


@app.command(rich_help_panel=PANEL)
def audit(
    ctx: typer.Context,
    days: Annotated[int, typer.Option(min=1, max=3_660, metavar="N", help="How far back.")] = 7,
    as_json: JsonOption = False,
) -> int:
    """Recompute what should have been sent, compare with the ledger. Exit code 1 where they differ; `status` tells of it too."""
    from alerts.audit import audit as look
    from alerts.audit import keep

    at = frame(ctx)
    with at.store() as store:
        setup, began = at.wiring.setup(store), at.now
        report = look(store, setup, days=days, now=began)
        keep(store, setup, report, began=began, now=at.now)
    out = at.out(as_json)
    if as_json:
        out.json(report.shape())
        return 0 if report.ok else 1
    found = [("missing", each) for each in report.missing] + [
        ("unexpected", each) for each in report.unexpected
    ]
    if found:
        out.table(
            ("", "subscription", "question", "event"),
            [(word, each.subscription, each.key, each.event) for word, each in found],
        )
    out.line(f"{report.checked} checked, {len(report.missing)} missing, {len(report.unexpected)} unexpected")
    return 0 if report.ok else 1


@app.command(rich_help_panel=PANEL)
def bounces(
    ctx: typer.Context,
    file: Annotated[
        str, typer.Argument(metavar="FILE|-", help="A mailbox (mbox), one message, or - for stdin.")
    ],
    as_json: JsonOption = False,
) -> int:
    """Read delivery failure messages; pause dead addresses. Exit code 1 where one was paused."""
    from alerts.bounces import take_bounces
    from pqwatch.files import FileError, read_whole

    if file == "-":
        mailbox = sys.stdin.buffer.read(_MAILBOX + 1)
        if len(mailbox) > _MAILBOX:
            raise FileError(f"the mailbox is too large: {_MAILBOX:,} bytes are read at most")
    else:
        mailbox = read_whole(Path(file), _MAILBOX)
    at = frame(ctx)
    with at.store() as store:
        report = take_bounces(store, mailbox, now=at.now, setup=at.wiring.setup(store))
    out = at.out(as_json)
    if as_json:
        names = ("read", "paused", "soft", "foreign", "unreadable")
        out.json({name: getattr(report, name) for name in names})
    else:
        for name in report.paused:
            out.note(f"pqwatch: subscription {name} is paused: its mail comes back")
        out.line(
            f"{report.read} messages read: {len(report.paused)} subscriptions paused, {report.soft} may pass,"
            f" {report.foreign} not of our mail, {report.unreadable} no reports"
        )
    return 1 if report.paused else 0


@app.command(rich_help_panel=PANEL)
def forget(
    ctx: typer.Context,
    address: Annotated[
        str, typer.Argument(metavar="ADDRESS", help="A mail address, or the address of --to.")
    ],
    as_json: JsonOption = False,
) -> None:
    """Erase a person's data: address, names, notes, queries, messages. Only a hash of the address stays."""
    from alerts import lifecycle
    from alerts.address import mail_address

    with as_typed():
        mail = address.lower().startswith("mailto:") or ":" not in address
        to = f"mailto:{mail_address(address)}" if mail else address
    at = frame(ctx)
    with at.store() as store:
        erased = lifecycle.forget(store, to, now=at.now)
    out = at.out(as_json)
    if as_json:
        out.json({"erased": erased})
    else:
        out.line(f"{erased} subscriptions erased; nothing is sent there any more")


@webhook.command("test")
def try_(ctx: typer.Context, subscription: Reference, as_json: JsonOption = False) -> int:
    """Post a signed test event now. Exit code 1 where it is not taken."""
    from alerts.again import try_webhook
    from alerts.channel import SendError
    from storage import subscriptions as rows

    at = frame(ctx)
    refused = None
    with at.store() as store:
        with store.read() as conn:
            found = rows.find(conn, subscription)
        try:
            try_webhook(found, at.wiring.setup(store), now=at.now)
        except SendError as error:
            refused = str(error)
    out = at.out(as_json)
    if as_json:
        out.json(
            {"subscription": {"id": found.id, "name": found.name}, "taken": not refused, "error": refused}
        )
    elif refused is None:
        out.line(f"{found.name}: {found.to} took the test event")
    else:
        out.note(f"pqwatch: {found.name}: {refused}")
    return 0 if refused is None else 1


@webhook.command()
def replay(ctx: typer.Context, subscription: Reference, as_json: JsonOption = False) -> None:
    """Have all that a webhook was sent go out once more, in order, under the same ids, with the next `alerts run`."""
    from alerts.again import replay as send_again

    at = frame(ctx)
    with at.store() as store:
        again = send_again(store, subscription, now=at.now)
    out = at.out(as_json)
    if as_json:
        out.json({"messages": again})
    else:
        out.line(f"{again} messages go out once more with the next `pqwatch alerts run`")
