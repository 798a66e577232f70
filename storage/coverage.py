"""Per source and day: how many questions are held, how many the source says there are, and which of those it lists are missing."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, and_, func, select

from storage.schema import aliases, listings, questions, sightings, windows

By = Literal["tabled", "answered", "published"]
_BY: dict[str, By] = {"theyworkforyou": "answered", "feeds": "published"}


@dataclass(frozen=True, slots=True)
class DayCoverage:
    """One day. `expected` is the source's own total of its newest look, else the length of its list; null where it gave neither.

    `missing`: keys that the source lists for the day and that no held question answers to, sorted.
    """

    date: date
    held: int
    expected: int | None
    missing: tuple[str, ...]


def coverage(
    conn: Connection, source: str, first: date, last: date, *, by: By | None = None
) -> list[DayCoverage]:
    """Every day from `first` to `last`.

    Held on a day are the questions that the source has shown, counted on the day they were tabled (by another day where the source
    is laid out so, see `by`), and those that it lists for that day. `by` names the windows too: "tabled:2024-11-05".
    """
    by = by or _BY.get(source, "tabled")
    held = _shown(conn, source, first, last, by)
    missing: defaultdict[date, list[str]] = defaultdict(list)
    listed: defaultdict[date, int] = defaultdict(int)
    for row in conn.execute(_listed(source, first, last)):
        listed[row.day] += 1
        if row.question_id is None:
            missing[row.day].append(row.key)
        else:
            held[row.day].add(row.question_id)
    totals = _totals(conn, source, by)
    days = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return [
        DayCoverage(day, len(held[day]), totals.get(day, listed.get(day)), tuple(sorted(missing[day])))
        for day in days
    ]


def to_json(source: str, days: list[DayCoverage]) -> dict[str, Any]:
    """The shape of `pqwatch coverage SOURCE --json`."""
    return {
        "source": source,
        "days": [
            {"date": d.date.isoformat(), "held": d.held, "expected": d.expected, "missing": list(d.missing)}
            for d in days
        ],
    }


def _shown(conn: Connection, source: str, first: date, last: date, by: By) -> defaultdict[date, set[int]]:
    day = questions.c.tabled_on if by == "tabled" else questions.c.answered_on
    seen = select(sightings.c.question_id).where(
        sightings.c.source == source, sightings.c.question_id == questions.c.id
    )
    held: defaultdict[date, set[int]] = defaultdict(set)
    for row in conn.execute(
        select(day.label("day"), questions.c.id).where(day.between(first, last), seen.exists())
    ):
        held[row.day].add(row.id)
    return held


def _listed(source: str, first: date, last: date) -> Any:
    """What the source lists, with the question that answers to the key, by its present key or a former one."""
    question_id = func.coalesce(questions.c.id, aliases.c.question_id).label("question_id")
    return (
        select(listings.c.day, listings.c.key, question_id)
        .outerjoin(questions, questions.c.key == listings.c.key)
        .outerjoin(aliases, aliases.c.key == listings.c.key)
        .where(and_(listings.c.source == source, listings.c.day.between(first, last)))
    )


def _totals(conn: Connection, source: str, by: By) -> dict[date, int]:
    """The source's own total of each day, of the newest look that got one."""
    wanted = and_(
        windows.c.source == source, windows.c.window.like(f"{by}:%"), windows.c.expected.is_not(None)
    )
    rows = conn.execute(
        select(windows.c.window, windows.c.expected).where(wanted).order_by(windows.c.done_at)
    )
    totals = {}
    for row in rows:
        name = row.window.partition(":")[2]
        if len(name) == len("2024-11-05"):  # a window of several days gives no day's total
            totals[date.fromisoformat(name)] = row.expected
    return totals
