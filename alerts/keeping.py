"""Until which day the data of a subscription are kept. Pure; `alerts.retention` acts on it."""

from __future__ import annotations

from datetime import date, timedelta

from alerts.setup import Setup
from storage.subscriptions import Subscription


def erased_on(subscription: Subscription, setup: Setup) -> date | None:
    """The day, in the settings' zone, on which it is erased; null while it stands without an end."""
    if subscription.ended_at is not None:
        since = subscription.ended_at
    elif subscription.begins_at is None:
        since = subscription.created_at
    elif subscription.expires_on is not None:  # it ends with the first run of the day after
        return subscription.expires_on + timedelta(days=1 + setup.retention_days)
    else:
        return None
    return since.astimezone(setup.zone).date() + timedelta(days=setup.retention_days)
