"""What the page of a topic shows: what moved lately, and how soon departments answer. Kept until the archive changes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import Connection, func, select

from alerts import search as searching
from alerts.query import parse
from alerts.tree import Query
from pqwatch import timeliness
from pqwatch.facts import facts_of
from pqwatch.timeliness import Monthly, Times
from pqwatch.web.site import Site
from storage.records import Record
from storage.schema import questions as table
from storage.schema import versions

SHOWN = 5


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of the page: the newest that match a query, which is also the search that "all of them" leads to."""

    label: str
    query: str
    total: int
    about: bool
    records: tuple[Record, ...]


@dataclass(frozen=True, slots=True)
class Topic:
    """`first` to `last`: the days on which the questions behind `times` were tabled."""

    parts: tuple[Part, ...]
    monthly: Monthly
    times: list[Times]
    first: date
    last: date


def topic(site: Site, name: str, query: Query) -> Topic:
    """The topic as it stands, or stood when the archive was last seen to change, at most ten minutes ago."""
    with site.read() as conn:
        seen = conn.execute(select(func.max(versions.c.observed_at))).scalar()
        newest = conn.execute(select(func.max(table.c.sort_key), func.max(table.c.id))).one()
        state = (site.today, seen, tuple(newest), int(site.now.timestamp()) // 600)
        return site.kept.get(f"topic {name}", state, lambda: read(conn, site, name, query))


def read(conn: Connection, site: Site, name: str, query: Query) -> Topic:
    """The topic as it stands."""
    today = site.today
    first, last = timeliness.period(today)
    facts = facts_of(conn, query, today, since=first)
    parts = tuple(_part(conn, site, *each) for each in _parts(name, today))
    return Topic(
        parts,
        timeliness.monthly(facts, today=today),
        timeliness.times(facts, first, last, today=today),
        first,
        last,
    )


def _parts(name: str, today: date) -> list[tuple[str, str]]:
    week, quarter = today - timedelta(days=6), today - timedelta(days=91)
    return [
        ("New this week", f"topic:{name} tabled:{week}.."),
        ("Answered this week", f"topic:{name} answered:{week}.. NOT state:published"),
        ("Overdue", f"topic:{name} is:overdue"),
        ("Held open by a holding answer", f"topic:{name} state:holding"),
        ("Corrected in the last three months", f"topic:{name} corrected:{quarter}.."),
        ("Written about this week", f"topic:{name} state:published answered:{week}.."),
    ]


def _part(conn: Connection, site: Site, label: str, text: str) -> Part:
    query = parse(text, site.setup.topics)
    page = searching.search(conn, query, today=site.today, limit=SHOWN)
    return Part(label, text, page.total, page.about, tuple(each.record for each in page.items))
