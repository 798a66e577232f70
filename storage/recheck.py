"""When an answered question is read again, because an edit that nobody declared shows in no list. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

AFTER = tuple(timedelta(days=days) for days in (1, 3, 7, 30, 90))
"""So long after its newest text was observed."""


def next_recheck(text_observed_at: datetime, read_at: datetime) -> datetime | None:
    """The first due moment after the last time the whole question was read; null when all have passed."""
    return next((due for after in AFTER if (due := text_observed_at + after) > read_at), None)
