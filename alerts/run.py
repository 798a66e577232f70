"""`pqwatch alerts run`: match what is pending, send what is due. Any number of runs may work side by side.

    claim changes → match → ledger rows (one transaction a chunk)        alerts.matching
    first crawl done → one catch-up message a subscription               alerts.catchup
    due rows → messages                                                  alerts.posting
    claim messages → compose → store → send → mark (each on its own)     alerts.sending
    once a day: what is kept of people no longer is erased               alerts.retention

A crash at any point loses nothing: what was not marked is done by the next run. In the one window that no protocol
closes (taken, not yet marked) a message may be repeated, under the same id.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from alerts import catchup, lifecycle, matching, notices, posting, problems, retention, sending, unreadable
from alerts.audience import Audience
from alerts.sending import Sent
from alerts.setup import Setup
from storage import ledger
from storage.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """What a run did. `failed`, `paused` and `broken` need a person's attention; what is tried again does not."""

    changes: int = 0
    rows: int = 0
    caught_up: int = 0
    sent: int = 0
    retrying: int = 0
    waiting: int = 0  # rows that are pending still: due later, or to be tried again
    failed: tuple[str, ...] = ()  # message ids
    paused: tuple[str, ...] = ()  # names of subscriptions
    broken: tuple[str, ...] = ()  # names of subscriptions whose query cannot be read any more
    down: dict[str, str] = field(default_factory=dict)  # channel by name: why nothing gets through

    @property
    def ok(self) -> bool:
        """A channel that is down is shown by `status`; its messages are tried again, which is no failure."""
        return not (self.failed or self.paused or self.broken)


def run(
    store: Store, *, now: datetime, settings: Setup, audience: Audience | None = None, send: bool = True
) -> RunReport:
    """One run. `audience` may be kept between runs of one process; `send=False` stops at the ledger.

    Raises only what means that nothing can go on (StorageError); a delivery that fails is in the report.
    """
    audience = audience or Audience(settings)
    with store.write() as conn:
        lifecycle.end_what_is_over(conn, settings, now=now)
    unreadable.read_again(store, settings, now=now)
    changes, rows = matching.match_changes(store, audience, settings, now=now)
    with store.write() as conn:
        caught_up = catchup.after_first_crawls(conn, audience, settings, now=now)
    sent = Sent()
    if send:
        unreadable.mark(store, audience, settings, now=now)
        notices.queue(store, settings, now=now)
        posting.post_due(store, settings, now=now)
        sent = sending.send_due(store, settings, now=now)
    retention.erase_what_is_old(store, settings, now=now)
    with store.write() as conn:
        problems.keep(conn, settings, sent, audience.broken(), now=now)
        waiting = ledger.count(conn, "pending")
    return RunReport(
        changes=changes,
        rows=rows,
        caught_up=caught_up,
        sent=sent.sent,
        retrying=sent.retrying,
        waiting=waiting,
        failed=tuple(sent.failed),
        paused=tuple(sent.paused),
        broken=tuple(audience.broken().values()),
        down=dict(sent.down),
    )
