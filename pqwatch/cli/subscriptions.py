"""Who hears of what: `subscribe`, `subscriptions …`, `catch-up`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pqwatch.cli.frame import Frame, JsonOption, app, as_typed, day_option, frame
from pqwatch.output import Output

if TYPE_CHECKING:
    from alerts.preview import Event
    from alerts.setup import Setup
    from storage.store import Store
    from storage.subscriptions import Subscription

PANEL = "Alerts"
_SHOWN = 10  # of what a new subscription would have sent lately
group = typer.Typer(
    no_args_is_help=True, help="List, show, pause, resume, remove, export and import subscriptions."
)
app.add_typer(group, name="subscriptions", rich_help_panel=PANEL)
Reference = Annotated[str, typer.Argument(metavar="ID", help="Its id or its name.")]


@app.command(rich_help_panel=PANEL)
def subscribe(
    ctx: typer.Context,
    query: Annotated[
        str, typer.Argument(metavar="QUERY|KEY", help="What to hear of, or the KEY of one question.")
    ],
    to: Annotated[
        str,
        typer.Option(metavar="URL", help="mailto:, https://, file:///, stdout:, feed: or a chat service."),
    ],
    on: Annotated[str, typer.Option(metavar="KINDS", help="Kinds of event, separated by commas.")] = "",
    every: Annotated[
        str, typer.Option(metavar="RHYTHM", help="instant, hourly, daily or weekly.")
    ] = "instant",
    at: Annotated[
        str, typer.Option(metavar="HH:MM", help="When a daily or weekly digest is sent.")
    ] = "07:00",
    days: Annotated[str, typer.Option(metavar="DAYS", help="mon,tue,…; weekly: monday.")] = "",
    name: Annotated[str | None, typer.Option(metavar="TEXT")] = None,
    note: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Why you set this; shown in each message.")
    ] = None,
    expires: Annotated[str | None, typer.Option(metavar="DATE")] = None,
    notice: Annotated[
        str | None, typer.Option(metavar="RHYTHM", help="weekly or monthly: also say that all is well.")
    ] = None,
    confirmed: Annotated[
        bool, typer.Option("--confirmed", help="Skip the confirmation mail; you answer for it.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Although it would send more than 30 items a day at once.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Subscribe an address to a query, or to one question."""
    from alerts import subscriptions
    from alerts.reporting import subscription_shape

    request = subscriptions.Request(
        query=query, to=to, on=_parts(on), every=every, at=at, days=_parts(days), name=name, note=note,
        expires=day_option(expires), notice=notice, confirmed=confirmed, force=force,
    )  # fmt: skip
    here = frame(ctx)
    with here.store() as store, as_typed():
        setup = here.wiring.setup(store)
        made = subscriptions.subscribe(
            store, request, setup=setup, now=here.now, estimate=here.wiring.estimate(store, setup)
        )
        lately = [] if as_json or here.quiet else _lately(store, made, here, setup)
    out = here.out(as_json)
    told = subscription_shape(made, setup, with_secret=True)
    if as_json:
        out.json(told)
        return
    _print_new(out, made, told["feed"])
    _print_lately(out, lately)


def _print_new(out: Output, made: Subscription, feed: str) -> None:
    out.line(f"Subscription {made.id} “{made.name}” → {made.to}")
    out.line(f"  query: {made.query}")
    out.line(f"  hears of: {', '.join(made.on)}; {_rhythm(made)}")
    out.line(f"  feed: {feed}")
    if made.secret:
        out.line(f"  webhook secret, shown only now: {made.secret}")
    if made.begins_at is None:
        out.line("  waits for confirmation: a mail goes out with the next `pqwatch alerts run`")


def _lately(store: Store, made: Subscription, at: Frame, setup: Setup) -> list[Event]:
    """What it would have heard in the last 14 days."""
    from alerts.audience import query_of
    from alerts.preview import lately

    with store.read() as conn:
        return lately(conn, query_of(made, setup), frozenset(made.on), setup, now=at.now)


def _print_lately(out: Output, events: Sequence[Event]) -> None:
    out.line(f"  of the last 14 days it would have sent {len(events):,}")
    for event in events[:_SHOWN]:
        out.line(f"    {event.day}  {event.kind:<10}  {event.record.content.heading or event.record.key}")
    if len(events) > _SHOWN:
        out.line(f"    and {len(events) - _SHOWN:,} more; `pqwatch preview` tells the year")


def _rhythm(subscription: Subscription) -> str:
    if subscription.every in ("instant", "hourly"):
        return subscription.every
    days = f" on {', '.join(subscription.days)}" if subscription.days else ""
    return f"{subscription.every} at {subscription.at}{days}"


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


@group.command("list")
def list_(
    ctx: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="Ended ones too.")] = False,
    as_json: JsonOption = False,
) -> None:
    """All subscriptions."""
    from alerts.reporting import subscription_details
    from storage import subscriptions as rows

    at = frame(ctx)
    with at.store() as store:
        setup = at.wiring.setup(store)
        with store.read() as conn:
            found = rows.every(conn, ended=everything)
    items = [subscription_details(each, setup) for each in found]
    out = at.out(as_json)
    if as_json:
        out.json({"total": len(items), "items": items})
        return
    listed = ((s.id, s.name, s.query, s.to, _rhythm(s), _standing(s)) for s in found)
    out.table(("id", "name", "query", "to", "every", ""), listed)


def _standing(subscription: Subscription) -> str:
    """How it stands, in a word."""
    if subscription.ended_at is not None:
        return "ended"
    if subscription.broken is not None:
        return "broken"
    if subscription.begins_at is None:
        return "to be confirmed"
    return "paused" if subscription.paused_at is not None else "active"


Change = Callable[["Store", "Frame"], "Subscription"]


def _change(ctx: typer.Context, change: Change, as_json: bool) -> None:
    """Do something with one subscription and show how it stands then."""
    from alerts.reporting import subscription_details

    at = frame(ctx)
    with at.store() as store:
        found = change(store, at)
        told = subscription_details(found, at.wiring.setup(store))
    out = at.out(as_json)
    if as_json:
        out.json(told)
    else:
        out.table(("", ""), [(name, value) for name, value in told.items() if name != "secret"])


@group.command()
def show(ctx: typer.Context, reference: Reference, as_json: JsonOption = False) -> None:
    """One subscription."""
    from storage import subscriptions as rows

    def find(store: Store, at: Frame) -> Subscription:
        del at
        with store.read() as conn:
            return rows.find(conn, reference)

    _change(ctx, find, as_json)


@group.command()
def pause(ctx: typer.Context, reference: Reference, as_json: JsonOption = False) -> None:
    """Hold back what it would hear, until it is resumed."""
    from alerts import lifecycle

    _change(ctx, lambda store, at: lifecycle.pause(store, reference, now=at.now), as_json)


@group.command()
def resume(
    ctx: typer.Context,
    reference: Reference,
    summary: Annotated[
        bool, typer.Option(help="Send what came meanwhile in one summary, or drop it.")
    ] = True,
    as_json: JsonOption = False,
) -> None:
    """Go on with a paused subscription."""
    from alerts import lifecycle

    _change(ctx, lambda store, at: lifecycle.resume(store, reference, now=at.now, summary=summary), as_json)


@group.command()
def remove(ctx: typer.Context, reference: Reference, as_json: JsonOption = False) -> None:
    """End a subscription: nothing that waits is sent any more."""
    from alerts import lifecycle

    _change(ctx, lambda store, at: lifecycle.remove(store, reference, now=at.now), as_json)


@group.command("export")
def export_(ctx: typer.Context) -> None:
    """All subscriptions as TOML, for `subscriptions import`. Holds addresses, but no secrets."""
    from alerts.exchange import export_toml
    from storage import subscriptions as rows

    at = frame(ctx)
    with at.store() as store, store.read() as conn:
        text = export_toml(rows.every(conn))
    at.out().raw(text)


@group.command("import")
def import_(
    ctx: typer.Context, file: Annotated[Path, typer.Argument(metavar="FILE")], as_json: JsonOption = False
) -> None:
    """Subscribe all of a file that `subscriptions export` wrote, or none of it. What would flood its reader needs `force = true`."""
    from alerts.exchange import import_toml
    from alerts.reporting import subscription_shape

    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"{file} cannot be read: {error}") from error
    at = frame(ctx)
    with at.store() as store, as_typed():
        setup = at.wiring.setup(store)
        estimate = at.wiring.estimate(store, setup)
        made = import_toml(store, text, setup=setup, now=at.now, estimate=estimate)
    out = at.out(as_json)
    if as_json:
        out.json(
            {
                "total": len(made),
                "items": [subscription_shape(each, setup, with_secret=True) for each in made],
            }
        )
    else:
        out.line(f"{len(made)} subscriptions taken")


@app.command("catch-up", rich_help_panel=PANEL)
def catch_up(ctx: typer.Context, subscription: Reference, as_json: JsonOption = False) -> None:
    """One message with what matched among backfilled versions; it goes out with the next `alerts run`."""
    from alerts import catchup
    from storage import subscriptions as rows

    at = frame(ctx)
    with at.store() as store:
        with store.read() as conn:
            found = rows.find(conn, subscription)
        made = catchup.catch_up(store, found, at.wiring.setup(store), now=at.now)
    out = at.out(as_json)
    if as_json:
        out.json({"subscription": {"id": found.id, "name": found.name}, "rows": made})
        return
    out.line(f"{found.name}: {made} questions will be in the message")
