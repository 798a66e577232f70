"""What a run leaves for a person to look at: shown by `status` until it is mended, and written to the operator once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection

from alerts.channel import channel_of
from alerts.compose import notes
from alerts.operator import address
from alerts.posting import host_of, message_id
from alerts.sending import Sent
from alerts.setup import Setup
from storage import messages
from storage import problems as problem_rows
from storage.records import Problem

SOURCE = "alerts"


def keep(
    conn: Connection, setup: Setup, sent: Sent, broken: Mapping[int, str], *, now: datetime
) -> list[Problem]:
    """Reports what needs attention; the operator gets a mail of what is new, where an address is known."""
    found = [*_paused(sent), *_broken(broken), *_down(sent)]
    if sent.sent and not sent.down:
        problem_rows.end(conn, SOURCE, ["channel:mail"], now=now)
    fresh = [problem for problem in found if problem_rows.report(conn, [problem], now=now)]
    tell_operator(conn, setup, fresh, now=now)
    return found


def _paused(sent: Sent) -> list[Problem]:
    return [
        Problem(
            source=SOURCE,
            kind="paused",
            url=subscription_url(name),
            message=f"the subscription {name} was paused because its messages cannot be delivered",
        )
        for name in sent.paused
    ]


def _broken(broken: Mapping[int, str]) -> list[Problem]:
    return [
        Problem(
            source=SOURCE,
            kind="broken",
            url=subscription_url(name),
            message=f"the query of the subscription {name} cannot be read any more",
        )
        for name in broken.values()
    ]


def _down(sent: Sent) -> list[Problem]:
    return [
        Problem(source=SOURCE, kind="down", url=f"channel:{name}", message=f"{name}: {why}")
        for name, why in sent.down.items()
    ]


def subscription_url(name: str) -> str:
    """Under which the problems of a subscription are known."""
    return f"subscription:{name}"


def tell_operator(conn: Connection, setup: Setup, fresh: Sequence[Problem], *, now: datetime) -> None:
    """Puts a mail about problems with the messages to be sent, where the settings name an address for it."""
    to = address(setup)
    worth_it = [problem for problem in fresh if problem.kind != "down"]
    if to is None or not worth_it:
        return
    told = "; ".join(problem.message for problem in worth_it)
    name = message_id(True, ["operator", now.isoformat(), told], host_of(setup))
    letter = notes.for_operator(to, told, name, setup, composed_at=setup.clock())
    messages.add(conn, name, to, channel_of(to).compose(letter), now=now)
