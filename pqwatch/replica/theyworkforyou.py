"""TheyWorkForYou's written answers, of Westminster and of the Scottish Parliament: year page, day pages, answer pages, in English and Welsh. Pure.

As the site's own templates print them: on day pages only the first heading of a department stands inside its own list
item; a group is one page under the smallest UIN; the lead has a stray "at" ("am" in Welsh); `<html lang>` is always "en";
an unknown gid is a 404, a day without answers a 200. What the official API had is here LAG hours later.
"""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from datetime import date, datetime
from html import escape
from itertools import groupby

from pqwatch.replica.theyworkforyou_answer import answer, frame, header, month
from pqwatch.replica.world import Question, World, delayed

LAG = 12  # hours
ROBOTS = ("/pwdata", "/pwdata/scrapedxml", "/pwdata/cmpages", "/user", "/vote", "/search")
DAYS_CY = ["Llun", "Mawrth", "Mercher", "Iau", "Gwener", "Sadwrn", "Sul"]


def answered(world: World, section: str, at: datetime) -> list[Question]:
    """What a section has at a moment: questions with an answer (a holding one too), by department and gid."""
    there = world.questions(delayed(at, LAG), scottish=section == "spwrans")
    shown = [q for q in there if q.answered and q.heading and not q.withdrawn]
    return sorted(shown, key=lambda q: (q.body, q.gid))


def get(
    world: World, section: str, query: dict[str, str], at: datetime, *, welsh: bool = False
) -> tuple[int, str]:
    """Status and page for `/wrans/` or `/spwrans/` with its query."""
    shown = answered(world, section, at)
    if "y" in query and query["y"].isdigit():
        return 200, _year(shown, section, int(query["y"]), welsh)
    if "d" in query:
        return _day(shown, section, query["d"], welsh)
    if "id" in query:
        return _by_gid(world, shown, query["id"], welsh)
    return 200, frame("Recent Written answers", "<div class='full-page__row'></div>", f"/{section}/", welsh)


def _day(shown: Sequence[Question], section: str, text: str, welsh: bool) -> tuple[int, str]:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return 404, _not_found(text, welsh)
    pages = _pages([q for q in shown if q.answered == day])
    named = f"{day.day} {month(day, welsh)} {day.year}"
    weekday = DAYS_CY[day.weekday()] if welsh else f"{day:%A}"
    body = f"""<div class="full-page__row">
    <div class="business-section">
        <div class="business-section__header">
            <h1 class="business-section__header__title">
                Written answers            </h1>
            <p class="business-section__header__date">
                {weekday}, {named}            </p>
        </div>
              <div class="business-section__primary">
            {_departments(pages) if pages else ("Dim data i&#039;w arddangos." if welsh else "No data to display.")}        </div>
    </div></div>"""
    return 200, frame(f"{named}: Written answers", body, f"/{section}/?d={day}", welsh)


def _departments(pages: Sequence[Sequence[Question]]) -> str:
    """The list of a day, with the site's own broken nesting; a Scottish one has no departments."""
    if pages[0][0].scottish:
        return (
            f'<ul class="business-list">\n{"".join(f"<li>{_listed(page)}</li>" for page in pages)}\n</ul>\n'
        )
    blocks = []
    for body, group in groupby(pages, key=lambda page: page[0].body):
        members = list(group)
        first, rest = members[0], members[1:]
        head = f'<a href="/wrans/?id={first[0].gid}.mh" class="business-list__title">\n<h3>\n{escape(body)}</h3>\n</a>'
        items = f"<li>\n{_listed(first)}</li>\n" + "".join(f"{_listed(page)}</li>\n" for page in rest)
        blocks.append(f"<li>\n{head}\n<ul>\n{items}</ul>\n</li>")
    return f'<ul class="business-list">\n{"".join(blocks)}\n</ul>\n'


def _listed(page: Sequence[Question]) -> str:
    question = page[0]
    excerpt = question.text if len(question.text) <= 200 else question.text[:200] + "..."
    return f"""<a href="/{question.section}/?id={question.gid}.h" class="business-list__title">
<h3>
{escape(question.heading or "")}                        </h3>
</a>
<p class="business-list__excerpt">
{escape(excerpt, quote=False)}                    </p>
"""


def _year(shown: Sequence[Question], section: str, year: int, welsh: bool) -> str:
    days = {q.answered for q in shown if q.answered and q.answered.year == year}
    months = "".join(_month_table(section, year, month, days, welsh) for month in range(1, 13))
    body = f"""<div class="full-page__row"><div class="business-section">
<div class="calendar__controls"><span class="calendar__controls__current">{year}</span></div>
<div class="calendar-year">{months}</div></div></div>"""
    return frame(f"{year}: Written answers", body, f"/{section}/?y={year}", welsh)


def _month_table(section: str, year: int, number: int, days: set[date], welsh: bool) -> str:
    rows = []
    for week in calendar.Calendar().monthdatescalendar(year, number):
        cells = (_cell(section, day, days) if day.month == number else "<td>&nbsp;</td>" for day in week)
        rows.append(f"<tr>{''.join(cells)}</tr>")
    return f"""<div class="calendar">
        <div class="calendar__header">
        {month(date(year, number, 1), welsh)}    </div>
<table><tbody>{"".join(rows)}</tbody></table></div>"""


def _cell(section: str, day: date, days: set[date]) -> str:
    return (
        f'<td><a href="/{section}/?d={day}">{day.day}</a></td>'
        if day in days
        else f"<td><span>{day.day}</span></td>"
    )


def _by_gid(world: World, shown: Sequence[Question], gid: str, welsh: bool) -> tuple[int, str]:
    stem, _, kind = gid.rpartition(".")
    pages = _pages(shown)
    for page in pages:
        if kind in ("h", "mh") and page[0].gid == stem:
            return 200, answer(world, page, _neighbours(pages, page), welsh) if kind == "h" else _department(
                pages, page, welsh
            )
    return 404, _not_found(gid, welsh)


def _pages(shown: Sequence[Question]) -> list[list[Question]]:
    """One page a question; a group is one page under its smallest UIN as a string."""
    pages = []
    for question in shown:
        mates = sorted(
            (q for q in shown if q.uin in question.group and q.house == question.house), key=lambda q: q.uin
        )
        if not mates or question.uin < mates[0].uin:
            pages.append([question, *mates])
    return pages


def _neighbours(
    pages: Sequence[Sequence[Question]], page: Sequence[Question]
) -> tuple[str | None, str | None]:
    same_day = [other[0].gid for other in pages if other[0].answered == page[0].answered]
    place = same_day.index(page[0].gid)
    return same_day[place - 1] if place else None, same_day[place + 1] if place + 1 < len(same_day) else None


def _department(pages: Sequence[Sequence[Question]], page: Sequence[Question], welsh: bool) -> str:
    """The `.mh` page: a department's list, which is no answer."""
    mates = [p[0] for p in pages if p[0].body == page[0].body and p[0].answered == page[0].answered]
    items = "".join(
        f'<li class="subrows__list-item"><a href="/wrans/?id={q.gid}.h">{escape(q.heading or "")}</a> '
        f'<p class="subrows__excerpt">{escape(q.text, quote=False)}</p>'
        for q in mates
    )
    body = f"""{header(page[0].body, "", page[0], (None, None), welsh)}
<div class="full-page"><div class="subrows"><div class="full-page__row"><div class="full-page__unit"><ul>{items}</ul></div></div></div></div>"""
    return frame(page[0].body, body, f"/wrans/?id={page[0].gid}.mh", welsh)


def _not_found(gid: str, welsh: bool) -> str:
    body = f"""<div class="full-page legacy-page static-page"><div class="full-page__row"><div class="panel">
<p>Sorry, there is no Hansard object with a gid of '{escape(gid)}'.</p>
</div></div></div>"""
    return frame("", body, "/wrans/", welsh)
