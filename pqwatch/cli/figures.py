"""Figures by department: `timeliness`, `recycled`."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pqwatch.cli.frame import Frame, JsonOption, WrongUsageError, app, day_option, frame
from pqwatch.cli.search import make_index_whole, read_query

if TYPE_CHECKING:
    from pqwatch.recycled import Answer, Repeat
    from pqwatch.timeliness import Times

PANEL = "Read"
Asked = Annotated[
    str | None, typer.Argument(metavar="QUERY", help="Only what matches; without it everything.")
]
From = Annotated[
    str | None, typer.Option("--from", metavar="DATE", help="The first day; default: a year ago.")
]
To = Annotated[str | None, typer.Option("--to", metavar="DATE", help="The last day; default: yesterday.")]


@app.command(rich_help_panel=PANEL)
def timeliness(
    ctx: typer.Context, query: Asked = None, from_: From = None, to: To = None, as_json: JsonOption = False
) -> None:
    """How soon each department answers the questions tabled in a period."""
    from pqwatch import timeliness as figures
    from pqwatch.facts import facts_of

    at = frame(ctx)
    first, last = _period(at, from_, to)
    asked = read_query(at, query) if query else None
    with at.store() as store:
        make_index_whole(store, at.out(as_json))
        with store.read() as conn:
            facts = facts_of(conn, asked, at.clock.today(), since=first)
    rows = figures.times(facts, first, last, today=at.clock.today())
    out = at.out(as_json)
    if as_json:
        out.json({**_asked(query, first, last), "departments": [_shape(row) for row in rows]})
        return
    columns = ("department", "tabled", "answered", "median days", "judged", "on time", "holding")
    shown = [
        (row.department, row.tabled, row.answered, row.median_days, row.judged, _percent(row.share_on_time),
         _percent(row.share_holding))
        for row in rows
    ]  # fmt: skip
    out.table(columns, shown)
    out.note((figures.__doc__ or "").partition("\n\n")[2].strip())


@app.command(rich_help_panel=PANEL)
def recycled(
    ctx: typer.Context,
    query: Asked = None,
    from_: From = None,
    to: To = None,
    least: Annotated[
        int,
        typer.Option(min=50, max=100, help="The share of its words, in per cent, that an answer repeats."),
    ] = 80,
    as_json: JsonOption = False,
) -> None:
    """Which answers given in a period repeat an earlier one that matches too, with the pairs."""
    from alerts import search as searching
    from pqwatch import recycled as figures
    from storage import questions

    at = frame(ctx)
    first, last = _period(at, from_, to)
    asked = read_query(at, query) if query else None
    with at.store() as store:
        make_index_whole(store, at.out(as_json))
        with store.read() as conn:
            records = (
                searching.iterate(conn, asked, today=at.clock.today()) if asked else questions.iterate(conn)
            )
            made = (figures.answer_of(each.key, each.content, pro_forma=each.pro_forma) for each in records)
            answers = [each for each in made if each is not None]
    found = list(figures.repeats(answers, first, last, least / 100))
    departments = _departments([each for each in answers if first <= each.answered_on <= last], found)
    out = at.out(as_json)
    if as_json:
        items = [_pair(each) for each in found]
        said = {"least": least / 100, "departments": departments, "total": len(items), "items": items}
        out.json({**_asked(query, first, last), **said})
        return
    out.table(("department", "answers", "recycled"), [tuple(row.values()) for row in departments])
    if found:
        columns = ("answered", "question", "share", "repeats", "of", "stock")
        rows = [
            (r.later.answered_on, r.later.key, _percent(r.share), r.earlier.key, r.earlier.answered_on,
             "yes" if r.later.pro_forma else "")
            for r in found
        ]  # fmt: skip
        out.table(columns, rows)
    out.note((figures.__doc__ or "").partition("\n\n")[2].strip())


def _period(at: Frame, from_: str | None, to: str | None) -> tuple[date, date]:
    """The days that were named; without them the last twelve months up to yesterday."""
    from pqwatch.timeliness import period

    first, last = period(at.clock.today())
    first, last = day_option(from_) or first, day_option(to) or last
    if first > last:
        raise WrongUsageError(f"{first} is after {last}")
    return first, last


def _asked(query: str | None, first: date, last: date) -> dict[str, Any]:
    return {"query": query, "from": first, "to": last}


def _shape(row: Times) -> dict[str, Any]:
    return {
        "department": row.department,
        "tabled": row.tabled,
        "answered": row.answered,
        "median_days": row.median_days,
        "judged": row.judged,
        "on_time": row.on_time,
        "share_on_time": row.share_on_time,
        "holding": row.holding,
        "share_holding": row.share_holding,
    }


def _pair(found: Repeat) -> dict[str, Any]:
    return {
        "key": found.later.key,
        "answered_on": found.later.answered_on,
        "department": found.later.department,
        "share": round(found.share, 3),
        "repeats": found.earlier.key,
        "repeats_answered_on": found.earlier.answered_on,
        "pro_forma": found.later.pro_forma,
    }


def _departments(judged: list[Answer], found: list[Repeat]) -> list[dict[str, Any]]:
    """Answers that were judged and those of them that repeat one, by department, most answers first."""
    answers, repeated = Counter(a.department for a in judged), Counter(r.later.department for r in found)
    return [
        {"department": name, "answers": count, "recycled": repeated[name]}
        for name, count in sorted(answers.items(), key=lambda item: (-item[1], item[0]))
    ]


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.0%}"
