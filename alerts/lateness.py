"""When a question became overdue, told from its versions: what `preview` counts where alerts have no row of it.

An open version is overdue from the day after its `overdue_after`, until the next version. A question that was backfilled
with its answer has no open version; it was open from the day it was tabled until the day it was answered.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, select

from storage.history import VersionFacts
from storage.procedure import has_ended, session_of
from storage.records import OPEN_STATES, Record
from storage.schema import questions


class Held(NamedTuple):
    """A version, and the London day from which it was there."""

    record: Record
    facts: VersionFacts
    since: date


class Late(NamedTuple):
    """The first day of being overdue, and the record as it stood then."""

    day: date
    record: Record


def overdue_since(conn: Connection, day: date, first: int) -> list[int]:
    """Ids of open questions that became overdue on that day or later, with a sort key below `first`."""
    states = [state.value for state in OPEN_STATES]
    query = select(questions.c.id).where(
        questions.c.overdue_after >= day, questions.c.sort_key < first, questions.c.state.in_(states)
    )
    return list(conn.execute(query).scalars())


def late(versions: Sequence[Held], begun: date, today: date) -> Late | None:
    """When it became overdue, if it did by `today`: once a question, told to one who was there on its last day in time.

    `versions`: all, in order. `begun`: the day on which whoever asks began to listen.
    """
    for record, since, until in _open(versions):
        after = record.overdue_after
        if after is None or after < begun:
            continue
        day = max(after + timedelta(days=1), since)
        if day <= today and (until is None or day < until) and not _session_is_over(record, day):
            return Late(day, record)
    return None


def _open(versions: Sequence[Held]) -> Iterator[tuple[Record, date, date | None]]:
    """What stood open, from which day, and until which; null: it still does."""
    for place, (record, facts, since) in enumerate(versions):
        content = record.content
        if record.state in OPEN_STATES:
            yield record, since, versions[place + 1].since if place + 1 < len(versions) else None
        elif place == 0 and facts.backfilled and content.tabled_on and content.answered_on:
            yield _unanswered(record), content.tabled_on, content.answered_on


def _unanswered(record: Record) -> Record:
    content = replace(
        record.content,
        answer_text=None, answer_html=None, answered_on=None, answering_member=None, corrected_on=None, attachments=(),
    )  # fmt: skip
    return replace(record, content=content, pro_forma=False, ever_corrected=False)


def _session_is_over(record: Record, day: date) -> bool:
    tabled_on = record.content.tabled_on
    session = session_of(tabled_on) if tabled_on else None
    return session is not None and has_ended(session, day)
