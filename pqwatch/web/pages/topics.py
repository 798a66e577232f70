"""The topics (`/topics`), and one of them (`/topics/drugs`): what moved, and how soon departments answer, as charts and tables."""

from __future__ import annotations

from datetime import date

from fastapi import APIRouter, Request
from starlette.responses import Response

from alerts.packs import all_packs
from pqwatch.timeliness import Monthly, Times
from pqwatch.web import charts, render
from pqwatch.web.lookup import topic_titles
from pqwatch.web.problems import WebError
from pqwatch.web.site import OfSite
from pqwatch.web.topic import topic

router = APIRouter(include_in_schema=False)
CHARTED = 10
"""Departments of a chart; the table has all."""

_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


@router.get("/topics")
def listed(request: Request, site: OfSite) -> Response:
    """All topics with what each is about."""
    packs = {pack.name: pack for pack in all_packs()}
    shown = [(name, title, packs.get(name)) for name, title in topic_titles(site).items()]
    return render.page(request, "topics.html", {"topics": shown})


@router.get("/topics/{name}")
def one(request: Request, site: OfSite, name: str) -> Response:
    """One topic."""
    query = site.setup.topics.get(name)
    if query is None:
        raise WebError(404, "There is no such topic", f"There are {', '.join(site.setup.topics) or 'none'}.")
    found = topic(site, name, query)
    values = {
        "name": name,
        "title": topic_titles(site)[name],
        "pack": next((pack for pack in all_packs() if pack.name == name), None),
        "topic": found,
        "charts": _charts(found.monthly, found.times),
        "month": _month,
        "cohort": f"topic:{name} tabled:{found.first}..{found.last}",
        "answers": f"topic:{name} answered:{found.monthly.months[0]}.. NOT state:published",
    }
    return render.page(request, "topic.html", values)


def _charts(monthly: Monthly, times: list[Times]) -> dict[str, object]:
    rows = [row for row in times[: CHARTED + 1] if row.answered]
    judged = [row for row in times[: CHARTED + 1] if row.judged]
    return {
        "monthly": charts.stacked(
            "Answers a month by department", [_month(each)[:3] for each in monthly.months], monthly.counts
        )
        if monthly.counts
        else None,
        "median": charts.lying(
            "Median days to an answer by department", {row.department: row.median_days for row in rows}
        )
        if rows
        else None,
        "on_time": charts.lying(
            "Answered on time by department",
            {row.department: 100 * (row.share_on_time or 0) for row in judged},
            "%",
        )
        if judged
        else None,
        "holding": charts.lying(
            "Share with a holding answer by department",
            {row.department: 100 * (row.share_holding or 0) for row in times[: CHARTED + 1]},
            "%",
        )
        if times
        else None,
    }


def _month(text: str) -> str:
    """`Mar 2025`."""
    day = date.fromisoformat(f"{text}-01")
    return f"{_MONTHS[day.month - 1]} {day.year}"
