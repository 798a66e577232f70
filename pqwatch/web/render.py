"""Templates and what they may call: dates as people in Westminster write them, states in words, marked and compared text.

Everything is escaped unless it is `Markup`; only functions of this module and of `storage.diff` make Markup.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from functools import cache
from typing import Any
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

import nh3
from fastapi import Request
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse

from alerts.compose.clean import shown
from alerts.compose.notes import SOURCES
from storage.diff import as_html, words

_TAGS = {
    "p",
    "br",
    "ul",
    "ol",
    "li",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "a",
    "strong",
    "b",
    "em",
    "i",
    "sub",
    "sup",
}
_ATTRIBUTES = {"a": {"href"}, "th": {"colspan", "rowspan"}, "td": {"colspan", "rowspan"}}
STATES = {
    "tabled": "Awaiting an answer",
    "holding": "Holding answer",
    "answered": "Answered",
    "corrected": "Answer corrected",
    "withdrawn": "Withdrawn",
    "lapsed": "Lapsed unanswered",
    "published": "Commentary",
}
KINDS = {
    "tabled": "Tabled",
    "transferred": "Transferred",
    "holding": "Holding answer",
    "answered": "Answered",
    "corrected": "Corrected",
    "edited": "Edited without notice",
    "withdrawn": "Withdrawn",
    "lapsed": "Lapsed",
    "restored": "Restored",
    "regrouped": "Regrouped",
    "retitled": "Heading set or changed",
    "rescheduled": "Dates changed",
    "reformatted": "Reformatted",
    "reparsed": "Read anew",
    "published": "Published",
    "overdue": "Overdue",
}


@cache
def environment() -> Environment:
    """The templates of this package."""
    made = Environment(
        loader=PackageLoader("pqwatch.web"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_harmless,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(
        day=day,
        moment=moment,
        month=month,
        state=STATES.__getitem__,
        kind=KINDS.__getitem__,
        source=source,
        safe_html=safe_html,
        link=link,
        path=key_path,
    )
    made.globals.update(diff=diff, marked=marked, address=address, STATES=STATES, KINDS=KINDS)
    return made


def _harmless(value: Any) -> Any:
    """Text without marks that turn the direction of what stands after it. Markup and everything else stay what they are."""
    return shown(value) if type(value) is str else value


def page(
    request: Request,
    template: str,
    values: Mapping[str, Any],
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> HTMLResponse:
    """A page from a template; `site`, `path` and `today` are there in each."""
    site = request.app.state.site
    given = {"path": request.url.path, "today": site.today, "zone": site.settings.timezone, **values}
    return HTMLResponse(environment().get_template(template).render(given), status, headers)


def day(value: date | None) -> str:
    """`5 November 2024`."""
    return f"{value.day} {value:%B %Y}" if value else ""


def source(name: str) -> str:
    """A source as people know it: `Parallel Parliament`."""
    return SOURCES.get(name, name)


def month(text: str) -> str:
    """`November 2024` of `2024-11`."""
    return f"{date.fromisoformat(f'{text}-01'):%B %Y}"


def moment(value: datetime, zone: ZoneInfo | str = "Europe/London") -> str:
    """`5 November 2024 at 12.08 am`, in the zone."""
    local = value.astimezone(ZoneInfo(zone) if isinstance(zone, str) else zone)
    hour = local.hour % 12 or 12
    return f"{day(local.date())} at {hour}.{local.minute:02} {'am' if local.hour < 12 else 'pm'}"


def safe_html(text: str | None) -> Markup:
    """Stored answer HTML, sanitised once more on its way out. Links say nothing of where the reader came from."""
    if not text:
        return Markup()
    clean = nh3.clean(
        text,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes={"http", "https", "mailto"},
        link_rel="noreferrer nofollow",
    )
    return Markup(clean)  # noqa: S704  # nh3 has just reduced it to the tags above


def diff(before: str | None, after: str | None, fold: bool = True) -> Markup:
    """The words that differ, as del and ins; `storage.diff` escapes every word."""
    return Markup(as_html(words(before, after), fold=fold))  # noqa: S704


def marked(text: str | None, spans: Iterable[tuple[int, int]]) -> Markup:
    """A text with the stretches (start, end; code points, in order) marked. Overlaps are drawn together."""
    text = text or ""
    out, at = [], 0
    for start, end in spans:
        if end > at:
            out += [
                escape(text[at : max(start, at)]),
                Markup("<mark>"),
                escape(text[max(start, at) : end]),
                Markup("</mark>"),
            ]
            at = end
    return Markup().join([*out, escape(text[at:])])


def link(url: str) -> str:
    """An address that may stand in an href: http and https only, else nowhere."""
    return url if url.lower().startswith(("http://", "https://")) else "#"


def key_path(key: str) -> str:
    """The address of a question's page."""
    return "/" + quote(key)


def address(path: str, values: Mapping[str, Any]) -> str:
    """`path` with a query string of those values that are not empty; lists repeat their name."""
    given = {name: value for name, value in values.items() if value not in (None, "", [], ())}
    return f"{path}?{urlencode(given, doseq=True)}" if given else path
