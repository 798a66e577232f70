"""Parallel Parliament's question pages and department lists. Pure.

The order of the texts is the site's; its tags and classes are not known to anyone who built this, so those here are made
up, and a reader must go by the words. A minister's position is today's, not that of the day. What the official API had
is here LAG hours later.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from html import escape

from pqwatch.replica.world import Question, World, delayed

LAG = 18  # hours
PAGE = 20  # questions on a page of a list
SITE = "https://www.parallelparliament.co.uk"


def slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def path(question: Question) -> str:
    return f"/question/{question.uin}/{slug(question.heading or '')}"


def answered(world: World, at: datetime) -> list[Question]:
    """What the site shows at a moment, newest answer first."""
    shown = [
        q
        for q in world.questions(delayed(at, LAG))
        if q.answered and q.heading and not q.holding and not q.withdrawn
    ]
    return sorted(shown, key=lambda q: (q.answered or date.min, q.id), reverse=True)


def get(world: World, wanted: str, query: Mapping[str, str], at: datetime) -> tuple[int, str]:
    """Status and page for a path of the site and its query."""
    shown = answered(world, at)
    for question in shown:
        if wanted.rstrip("/").lower() == path(question).lower():
            return 200, _question(world, question)
    match = re.fullmatch(
        r"/dept/([a-z0-9-]+)/(writtenanswers|written-questions|WrittenQuestions)/?", wanted, re.IGNORECASE
    )
    if match:
        mine = [q for q in shown if _letters(slug(q.body)) == _letters(match[1])]
        known = any(_letters(slug(body)) == _letters(match[1]) for body in world.bodies)
        return (200, _list(world, _page(mine, query), match[1])) if known else _missing()
    if wanted.rstrip("/") == "/writtenanswers":
        return 200, _list(world, _page(shown, query), "All departments")
    return _missing()


def _letters(text: str) -> str:
    return text.replace("-", "").lower()


def _page(shown: Sequence[Question], query: Mapping[str, str]) -> Sequence[Question]:
    number = int(query["page"]) if query.get("page", "").isdigit() else 1
    return shown[PAGE * (number - 1) : PAGE * number] if number else []


def _missing() -> tuple[int, str]:
    return 404, _frame("Page not found", "<h1>Page not found</h1>")


def _question(world: World, question: Question) -> str:
    minister = world.people[question.minister or ""]
    source = f"https://questions-statements.parliament.uk/written-questions/detail/{question.tabled}/{question.uin}"
    position = f'<h6 class="mb-0">{escape(minister.now)}</h6>' if minister.now else ""
    body = f"""<div class="container">
 <div class="row"><div class="col-sm-12 text-center"><h1>{escape(question.heading or "")}</h1>
  <p>(asked on {_ordinal(question.tabled)}) - <a href="{source}" target="_blank">View Source</a></p></div></div>
 <div class="card"><div class="card-header"><b>Question to the {escape(question.body)}:</b></div>
  <div class="card-body"><p>{escape(question.text, quote=False)}</p></div></div>
 <div class="card"><div class="card-body">
  <div class="row"><div class="col-sm-12">Answered by</div></div>
  <div class="row"><a class="col-sm-2" href="/mp/{slug(minister.name)}"><img src="/images/{minister.id}.jpg" alt="{escape(minister.name)} Portrait"></a>
   <div class="col-sm-4"><h5>{escape(minister.name)}</h5>{position}</div></div>
  <div class="row"><div class="col-sm-12"><i>This question was answered on {_ordinal(question.answered)}</i></div></div>
  <div class="answer">{_flat(question.answer or "")}</div>
 </div></div>
 <div class="modal" style="display:none">Reticulating Splines</div>
</div>"""
    return _frame(question.heading or "", body)


def _list(world: World, shown: Sequence[Question], title: str) -> str:
    others = "".join(f'<a href="/dept/{slug(body)}">{escape(body)}</a> ' for body in world.bodies)
    items = "".join(_listed(world, question) for question in shown) or "<p>No written questions found.</p>"
    return _frame(
        title,
        f'<div class="container"><h1>{escape(title)}</h1>{items}<footer>{others}</footer><div style="display:none">Reticulating Splines</div></div>',
    )


def _listed(world: World, question: Question) -> str:
    asker, minister = world.people[question.asker], world.people[question.minister or ""]
    day = question.answered or question.tabled
    by = f"{minister.name} - {minister.now}" if minister.now else minister.name
    return f"""<div class="card"><div class="card-header"><span>Written Question</span>
 <h4><a href="{path(question)}">{escape(question.heading or "")}</a></h4><span>{day:%A} {_ordinal(day)}</span></div>
 <div class="card-body"><p>Asked by: {escape(asker.name)} ({escape(asker.party)} - {escape(asker.seat)})</p>
 <p>Question to the {escape(question.body)}:</p><p>{escape(question.text, quote=False)}</p>
 <p>Answered by {escape(by)}</p>{_flat(question.answer or "")}</div></div>
"""


def _flat(html: str) -> str:
    """The site keeps plain paragraphs: one cell of a table a line, bullets as characters."""
    text = re.sub(r"<p>\s*</p>", "", html)
    text = re.sub(r"<li>(.*?)</li>", r"<p>• \1</p>", text, flags=re.DOTALL)
    return re.sub(r"</?(table|thead|tbody|tr|td|th|ul|ol|strong|b|em|i|a)\b[^>]*>", "", text)


def _ordinal(day: date | None) -> str:
    if day is None:
        return ""
    ending = "th" if 10 <= day.day % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(day.day % 10, "th")
    return f"{day.day}{ending} {day:%B %Y}"


def _frame(title: str, body: str) -> str:
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{escape(title)} - Parallel Parliament</title></head>
<body><nav class="navbar"><a href="/">Parallel Parliament</a></nav>
{body}
</body></html>
"""
