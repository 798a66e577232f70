"""Letters that nobody's words brought about: quiet but well, a source that is late for a day, one that is well again.

Each is named by what it tells, so that several runs side by side send it once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from alerts import operator
from alerts.channel import Form, channel_of
from alerts.compose import notes
from alerts.compose.letter import Letter
from alerts.compose.notes import Quiet
from alerts.posting import host_of, message_id
from alerts.schedule import Every, Notice, next_slot, notice_slot, parse_rhythm, parse_time
from alerts.setup import Setup
from storage import checks, ledger, messages, meta, procedure
from storage import subscriptions as rows
from storage.checks import Health
from storage.store import Store
from storage.subscriptions import Subscription

DAY = timedelta(days=1)
Addressees = dict[str, list[int]]
"""Whom a notice goes to, each with the ids of the subscriptions for which it does (the operator: none)."""


def queue(store: Store, setup: Setup, *, now: datetime) -> int:
    """Puts the notices that are due with the messages to be sent. Returns how many."""
    with store.write() as conn:
        ledger.one_matcher(conn)
        everyone = [s for s in rows.listening(conn) if s.paused_at is None]
        readers = [s for s in everyone if channel_of(s.to).form is Form.LETTER]
        made = _quiet(conn, setup, readers, now) + _outages(conn, setup, readers, now)
        return made + operator.tell(conn, setup, now=now)


def _quiet(conn: Connection, setup: Setup, readers: Sequence[Subscription], now: datetime) -> int:
    groups: dict[tuple[str, datetime, datetime], list[Subscription]] = {}
    for subscription in readers:
        due = _due(subscription, setup, now)
        if due is None:
            continue
        slot, since = due
        rows.change(conn, [subscription.id], last_notice_at=slot)
        if not ledger.heard_since(conn, subscription.id, since):
            groups.setdefault((subscription.to, slot, since), []).append(subscription)
    for (_, slot, since), group in groups.items():
        _send_all_well(conn, setup, group, slot, since, now)
    return len(groups)


def _due(subscription: Subscription, setup: Setup, now: datetime) -> tuple[datetime, datetime] | None:
    """(slot, since): the slot that has come, on a day on which messages may go, and the moment from which nothing was said."""
    since = subscription.last_notice_at or subscription.begins_at
    if subscription.notice is None or since is None:
        return None
    slot = notice_slot(Notice(subscription.notice), parse_time(subscription.at), now, setup.zone)
    rhythm = parse_rhythm(Every.DAILY, subscription.at, list(subscription.days))
    slot = next_slot(rhythm, slot, setup.zone)
    return (slot, since) if since < slot <= now else None


def _send_all_well(
    conn: Connection,
    setup: Setup,
    group: Sequence[Subscription],
    slot: datetime,
    since: datetime,
    now: datetime,
) -> None:
    checked, last = checks.count(conn, since)
    recess = procedure.in_recess(now.astimezone(setup.zone).date())
    until = recess.last + DAY if recess and recess.last and recess.certain else None
    quiet = Quiet(checked, last, since, until)
    about = ["quiet", slot.isoformat(), *(str(s.id) for s in group)]
    name = message_id(channel_of(group[0].to).mail_ids, about, host_of(setup))
    letter = notes.all_well(group, quiet, name, setup, composed_at=setup.clock())
    _put(conn, letter, now)


def _outages(conn: Connection, setup: Setup, readers: Sequence[Subscription], now: datetime) -> int:
    responsible: Addressees = {to: []} if (to := operator.address(setup)) is not None else {}
    everyone = {to: list(ids) for to, ids in responsible.items()}
    for subscription in readers:
        if subscription.begins_at is not None and subscription.begins_at <= now:
            everyone.setdefault(subscription.to, []).append(subscription.id)
    made = 0
    for health in checks.health(conn):
        made += _outage(conn, setup, health, everyone, now) + _unasked(conn, setup, health, responsible, now)
    return made


def _outage(conn: Connection, setup: Setup, health: Health, to: Addressees, now: datetime) -> int:
    """Tells once that a source has been failing or late for a day, and once that it is well again."""
    since = min(filter(None, (health.failing_since, health.late_since)), default=None)
    news = notes.failing if health.failing_since else notes.late
    return _tell(conn, setup, f"outage:{health.source}", since, news, to, now)


def _unasked(conn: Connection, setup: Setup, health: Health, to: Addressees, now: datetime) -> int:
    """Tells the operator alone that nobody asks a source any more: that is no fault of the source."""
    stopped = now - health.last_attempt > 2 * DAY  # a crawl once a day is then a day late
    if stopped and health.source not in setup.sources:
        return 0
    since = health.last_attempt if stopped else None
    return _tell(conn, setup, f"unasked:{health.source}", since, notes.failing, to, now)


def _tell(
    conn: Connection,
    setup: Setup,
    trouble: str,
    since: datetime | None,
    news: notes.SourceNews,
    to: Addressees,
    now: datetime,
) -> int:
    """Writes once that a trouble (`outage:theyworkforyou`) has lasted for a day, and once that it is over (`since` null)."""
    told = meta.get(conn, trouble) or ""
    if since is None and told:
        what, began, news = "well", datetime.fromisoformat(told), notes.well_again
    elif since is not None and not told and now - since >= DAY:
        what, began = "failing", since
    else:
        return 0
    meta.put(conn, trouble, "" if since is None else since.isoformat())
    kind, _, source = trouble.partition(":")
    about = [*([kind] if kind != "outage" else []), what, source, began.isoformat()]
    for address, ends in to.items():
        name = message_id(channel_of(address).mail_ids, [*about, address], host_of(setup))
        letter = notes.of_source(
            news, source, began, address, name, setup, composed_at=setup.clock(), ends=ends
        )
        _put(conn, letter, now)
    return len(to)


def _put(conn: Connection, letter: Letter, now: datetime) -> None:
    messages.add(conn, letter.id, letter.to, channel_of(letter.to).compose(letter), now=now)
