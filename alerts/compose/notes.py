"""Letters that speak of no question: please confirm, all is well, a source is failing. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from alerts.compose.clean import one_line
from alerts.compose.letter import Letter
from alerts.confirm import Scope, unsubscribe_link
from alerts.keeping import erased_on
from alerts.setup import Setup
from storage.subscriptions import Subscription

SOURCES = {
    "parliament": "Parliament’s written questions service",
    "theyworkforyou": "TheyWorkForYou",
    "parallelparliament": "Parallel Parliament",
    "feeds": "The feeds of commentary",
}
"""The sources by the names that people know them by; one that someone added goes by its own."""


_MOST = 20
"""Problems that one mail to the operator names."""


SourceNews = Callable[[str, str], tuple[str, tuple[str, ...]]]
"""Subject and lines of what is told of a source, from its name and the moment since when it is so."""


@dataclass(frozen=True, slots=True)
class Quiet:
    """What a quiet notice tells: how often the sources were checked, and when last with success."""

    checked: int
    last_success: datetime | None
    since: datetime
    recess_until: date | None = None


def confirmation(
    subscription: Subscription, link: str, name: str, setup: Setup, *, composed_at: datetime
) -> Letter:
    """Asks the receiver to agree. It tells nothing but the request, and nothing is sent where nobody answers."""
    erased = erased_on(subscription, setup)
    lines = (
        "Somebody, perhaps you, asked pqwatch to send alerts about written questions in Parliament to this address:",
        f"{one_line(subscription.name)}: {one_line(subscription.query, 500)}",
        "If it was you, please confirm. If not, do nothing: no alert will be sent"
        + (f", and this address is erased on {_day(erased)}." if erased else "."),
    )
    return _letter(
        subscription.to,
        name,
        "Please confirm your alert from pqwatch",
        lines,
        setup,
        composed_at,
        action=("Confirm this alert", link),
    )


def all_well(
    subscriptions: Sequence[Subscription], quiet: Quiet, name: str, setup: Setup, *, composed_at: datetime
) -> Letter:
    """Nothing matched, and why that can be believed."""
    names = ", ".join(one_line(s.name) for s in subscriptions)
    last = (
        f"the last success was {_moment(quiet.last_success, setup.zone)}"
        if quiet.last_success
        else "none succeeded"
    )
    since = _day(quiet.since.astimezone(setup.zone).date())
    told = f"Since {since} the sources were checked {quiet.checked} times; {last}; nothing matched."
    recess = (
        f"The House of Commons is in recess until {_day(quiet.recess_until)}." if quiet.recess_until else ""
    )
    return _letter(
        subscriptions[0].to,
        name,
        f"All is well, nothing matched: {names}",
        tuple(line for line in (told, recess, f"Your alerts: {names}.") if line),
        setup,
        composed_at,
        ends=[subscription.id for subscription in subscriptions],
    )


def unreadable(
    subscription: Subscription, why: str, name: str, setup: Setup, *, composed_at: datetime
) -> Letter:
    """The query is of another version, and hears nothing until somebody mends it."""
    called = one_line(subscription.name)
    lines = (
        f"This version of pqwatch cannot read the query of your alert {called}. It is kept, and sends nothing meanwhile.",
        one_line(subscription.query, 500),
        f"What is wrong with it: {one_line(why, 300)}.",
        "You can make an alert with a mended query and end this one. Should a later version read it again, it goes on by itself.",
    )
    subject = f"Your alert {called} cannot be read any more"
    return _letter(subscription.to, name, subject, lines, setup, composed_at, ends=[subscription.id])


def failing(told: str, since: str) -> tuple[str, tuple[str, ...]]:
    """A source has been failing for a day."""
    promise = "What it publishes meanwhile reaches you when it can be read again: the days missed are then read once more."
    return f"Late: {told} cannot be read", (f"{told} could not be read since {since}.", promise)


def late(told: str, since: str) -> tuple[str, tuple[str, ...]]:
    """A source answers, and has shown nothing, or next to nothing, of a day that it should, for a day."""
    lines = (
        f"{told} shows less than it should; this was first seen at {since}.",
        "What it shows later reaches you then: the days that are missing are read again with each pass.",
    )
    return f"Late: {told} shows less than it should", lines


def well_again(told: str, since: str) -> tuple[str, tuple[str, ...]]:
    return f"Well again: {told} is read again", (f"{told}, which was late since {since}, is read again.",)


def of_source(
    news: SourceNews,
    source: str,
    since: datetime,
    to: str,
    name: str,
    setup: Setup,
    *,
    composed_at: datetime,
    ends: Sequence[int] = (),
) -> Letter:
    """Tells one address of one source. `ends`: the subscriptions for which it is told, none for the operator."""
    subject, lines = news(SOURCES.get(source, source), _moment(since, setup.zone))
    return _letter(to, name, subject, lines, setup, composed_at, ends=ends)


def problems_of_sources(
    to: str,
    fresh: Sequence[str],
    mended: Sequence[str],
    name: str,
    setup: Setup,
    *,
    composed_at: datetime,
) -> Letter:
    """To the operator: what of the sources cannot be read as it should, and what is well again. At least one of them."""
    lines = [
        *fresh[:_MOST],
        *_more(fresh),
        *(f"Well again: {line}" for line in mended[:_MOST]),
        *_more(mended),
    ]
    lines.append(
        "pqwatch status tells the addresses; pqwatch reparse reads kept pages again with a mended parser."
    )
    count = len(fresh) - 1
    more = f" (and {count} more)" if count > 0 else ""
    subject = f"pqwatch needs attention: {fresh[0]}{more}" if fresh else f"Well again: {mended[0]}"
    short = [one_line(line, 500) for line in lines]
    return _letter(to, name, one_line(subject, 200), tuple(short), setup, composed_at)


def _more(lines: Sequence[str]) -> list[str]:
    return [f"and {len(lines) - _MOST} more"] if len(lines) > _MOST else []


def for_operator(to: str, told: str, name: str, setup: Setup, *, composed_at: datetime) -> Letter:
    """Something that a person who runs pqwatch must look at."""
    return _letter(to, name, one_line(f"pqwatch needs attention: {told}"), (told,), setup, composed_at)


def _letter(
    to: str,
    name: str,
    subject: str,
    lines: tuple[str, ...],
    setup: Setup,
    composed_at: datetime,
    *,
    action: tuple[str, str] | None = None,
    ends: Sequence[int] = (),
) -> Letter:
    """`ends`: the subscriptions that its one click ends; none: it has none."""
    return Letter(
        id=name,
        to=to,
        sender=setup.mail_from,
        subject=one_line(subject),
        composed_at=composed_at,
        lines=lines,
        action=action,
        unsubscribe=unsubscribe_link(setup, Scope(subscription_ids=tuple(ends))) if ends else None,
        public_url=setup.public_url,
    )


def _moment(moment: datetime, zone: ZoneInfo) -> str:
    local = moment.astimezone(zone)
    return f"{local:%H:%M} on {_day(local.date())}"


def _day(value: date) -> str:
    return f"{value.day} {value:%B %Y}"
