"""What a subscription hears: the rules of `interface.md`, pure.

`--on` is compared with all kinds of a version. A version matches if its text or the text of the version before matches.
One that makes a question match for the first time is heard as the kind of the question's state. Versions that our own
mended parser made are never heard, nor reconstructed ones alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from storage.history import VersionFacts
from storage.records import OVERDUE, Kind, State
from storage.subscriptions import Subscription

DEFAULT_ON = (Kind.ANSWERED, Kind.CORRECTED, Kind.EDITED, Kind.WITHDRAWN, Kind.PUBLISHED)
ALL_ON = (*Kind, OVERDUE)

_ORDER = {kind: n for n, kind in enumerate(Kind)}


def is_silent(facts: VersionFacts) -> bool:
    """Whether a version is never sent one by one, whatever it matches."""
    return facts.reconstructed or facts.kinds == (Kind.REPARSED,)


def kinds_heard(kinds: Sequence[Kind], state: State, *, first: bool) -> tuple[Kind, ...]:
    """What a version counts as. `first`: it makes the question match for the first time.

    An answer that is found already corrected is still the first answer, so it is heard as both.
    """
    if not first:
        return tuple(kinds)
    heard = {Kind(state)} | ({Kind.ANSWERED} & set(kinds))
    return tuple(sorted(heard, key=_ORDER.__getitem__))


def named(kinds: Sequence[Kind], on: Sequence[str]) -> str | None:
    """The kind under which the version is sent to one who asked for `on`; null: not at all."""
    return next((str(kind) for kind in kinds if kind in on), None)


def begun(subscription: Subscription, made_at: datetime) -> bool:
    """Whether the subscription was there when the change was made."""
    return subscription.begins_at is not None and subscription.begins_at <= made_at


def hears_overdue(subscription: Subscription, after: date, made_at: datetime, zone: ZoneInfo) -> bool:
    """Not where the day was past already when the subscription began. `after`: the question's `overdue_after`."""
    begins = subscription.begins_at
    if OVERDUE not in subscription.on or begins is None or begins > made_at:
        return False
    return begins.astimezone(zone).date() <= after


def expired(subscription: Subscription, today: date) -> bool:
    """The day of `--expires` is the last one on which the subscription hears."""
    return subscription.expires_on is not None and today > subscription.expires_on
