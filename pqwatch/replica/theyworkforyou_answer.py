"""TheyWorkForYou's answer page: the heading, each question of a group, the one reply, the readers' votes. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from html import escape
from urllib.parse import quote

from pqwatch.replica.world import Question, World

MONTHS_CY = (
    "Ionawr", "Chwefror", "Mawrth", "Ebrill", "Mai", "Mehefin",
    "Gorffennaf", "Awst", "Medi", "Hydref", "Tachwedd", "Rhagfyr",
)  # fmt: skip
PARTIES_CY = {
    "Conservative": "Ceidwadwyr",
    "Labour": "Llafur",
    "Liberal Democrat": "Democratiaid Rhyddfrydol",
}
SITE = {False: "https://www.theyworkforyou.com", True: "https://cy.theyworkforyou.com"}


def answer(
    world: World, page: Sequence[Question], neighbours: tuple[str | None, str | None], welsh: bool
) -> str:
    first = page[0]
    speeches = [_asked(world, question, number, welsh) for number, question in enumerate(page)]
    body = f"""{header(first.heading or "", first.body, first, neighbours, welsh)}
<div class="full-page">
{"".join(speeches)}{_replied(world, first, welsh)}
        <div class="debate-comments"></div>
<aside class="js-glossary-drawer" role="dialog" aria-hidden="true"><h2 id="js-glossary-drawer-title">Definition</h2></aside>
</div>"""
    day = short_day(first.answered, welsh).strip() if first.answered else ""
    return frame(
        f"{first.heading}: {day}: Hansard Written Answers",
        body,
        f"/{first.section}/?id={first.gid}.h",
        welsh,
        topic=first.heading or "",
    )


def header(
    title: str, department: str, question: Question, neighbours: tuple[str | None, str | None], welsh: bool
) -> str:
    at, on = ("am", "ar") if welsh else ("at", "on")
    day = question.answered
    of = " &ndash; Scottish Parliament " if question.scottish else f"{escape(department)} "
    before, after = neighbours
    alert = "Danfonwch hysbysiad imi am ddadleuon fel hyn" if welsh else "Alert me about debates like this"
    everything = (
        f"Pob Written Answers ar {short_day(day, welsh)}"
        if welsh
        else f"All Written Answers on {short_day(day, welsh)}"
    )
    links = (
        (
            f'<a href="/{question.section}/?id={before}.h" rel="prev">&laquo; {"answer blaenorol" if welsh else "Previous answer"}</a>'
            if before
            else ""
        )
        + f'<a href="/{question.section}/?d={day}" rel="up">{everything}</a>'
        + (
            f'<a href="/{question.section}/?id={after}.h" rel="next">{"answer nesaf" if welsh else "Next answer"} &raquo;</a>'
            if after
            else ""
        )
    )
    return f"""<div class="debate-header regional-header regional-header--uk-commons">
    <div class="regional-header__overlay"></div>
    <div class="full-page__row">
        <div class="debate-header__content full-page__unit">
            <h1>{escape(title)}</h1>
            <p class="lead">
                {of}written question &ndash; answered                {at}  {on} <a href="/{question.section}/?d={day}">{short_day(day, welsh)}</a>.
            </p>
            <p class="cta">
                <a class="button alert" href="/alerts/?alertsearch={quote(title)}">{alert}</a>
            </p>
        </div>
    </div>
        <nav class="debate-navigation" role="navigation">{links}</nav>
</div>"""


def _asked(world: World, question: Question, number: int, welsh: bool) -> str:
    gid = f"{question.uin}.q{number}"
    asker = world.people[question.asker]
    party = PARTIES_CY.get(asker.party, asker.party) if welsh else asker.party
    position = party if asker.is_peer or question.scottish else f"{party}, {asker.seat}"
    number_said = "" if question.scottish else f' qnum="{question.uin}"'
    content = f"                <p{number_said}>{escape(question.text, quote=False)}</p>            "
    source, named = _source(question, welsh)
    link = f'<a href="{source}" class="debate-speech__meta__link">{named}</a>\n'
    return _speech(
        gid,
        asker.id,
        question.asker,
        _person_page(asker.is_peer, question),
        position,
        content,
        link + _citation(question, welsh),
        question,
        welsh,
    )


def _replied(world: World, question: Question, welsh: bool) -> str:
    minister = world.people[question.minister or ""]
    content = f"                {_body(question)}            {_votes(question)}"
    gid = f"{question.uin}.r0"
    return _speech(
        gid,
        minister.id,
        minister.name,
        _person_page(minister.is_peer, question),
        minister.office,
        content,
        _citation(question, welsh),
        question,
        welsh,
    )


def _source(question: Question, welsh: bool) -> tuple[str, str]:
    """Address and name of the official source."""
    if question.scottish:
        return (
            f"https://www.parliament.scot/chamber-and-committees/questions-and-answers/question?ref={question.uin}",
            "Ffynhonnell adroddiad swyddogol" if welsh else "Official Report source",
        )
    official = f"https://questions-statements.parliament.uk/written-questions/detail/{question.tabled}/{question.uin}"
    return official, "Ffynhonnell Hansard" if welsh else "Hansard source"


def _person_page(peer: bool, question: Question) -> str:
    return "msp" if question.scottish else "peer" if peer else "mp"


def _speech(
    gid: str,
    person: int,
    name: str,
    page: str,
    position: str,
    content: str,
    meta: str,
    question: Question,
    welsh: bool,
) -> str:
    day = question.answered if question.scottish else question.tabled
    share = f"https://www.theyworkforyou.com/{question.section}/?id={day}.{gid}"
    return f"""    <div class="debate-speech" id="g{gid}">
        <div class="full-page__row">
            <div class="full-page__unit">
            <a name="g{gid}"></a>
                        <div class="debate-speech__speaker-and-content">
                      <h2 class="debate-speech__speaker">
                                <a href="/{page}/?p={person}">
                    <img src="/images/unknownperson.png" alt="Photo of {escape(name)}">
                    <strong class="debate-speech__speaker__name">{escape(name)}</strong>
                    <small class="debate-speech__speaker__position">{escape(position)}</small>
                </a>
            </h2>
                                  <div class="debate-speech__content">{content}</div>
                        </div>
            <ul class="debate-speech__meta debate-speech__links">
                                                <li class="link-to-speech">
                    <a href="https://twitter.com/share?url={quote(share, safe="")}" class="twitter debate-speech__meta__link js-twitter-share">{"Trydar" if welsh else "Tweet"}</a>
                </li>
                                <li class="link-to-hansard">
                                      {meta}                </li>
            </ul>
        </div>
        </div>
    </div>
"""


def _citation(question: Question, welsh: bool) -> str:
    if question.scottish:
        return ""
    house = "HL" if question.house == "Lords" else "HC"
    return f"<span> (Citation: {house} Deb, {short_day(question.answered, welsh)}, cW)</span>"


def _body(question: Question) -> str:
    """The answer as the importer leaves it: no empty paragraphs, a space between paragraphs, attachments last."""
    text = re.sub(r"<p>\s*</p>", "", question.answer or "")
    text = text.replace("</p><p>", "</p> <p>").replace("<br/>", "</p> <p>")
    for item in question.attachments:
        size = f"{item['bytes'] / 1024:.1f}KB"
        kind = "Excel SpreadSheet" if item["type"] in ("xls", "xlsx") else "Document"
        text += f' <p><a rel="nofollow" href="{escape(item["url"])}">{escape(item["title"])}</a> ({kind}, {size})</p>'
    return text


def _votes(question: Question) -> str:
    """The readers' votes; their figures are made from the number of the question."""
    yes, no = question.id % 5, question.id % 3
    so, not_so = (
        ("people think so", "person thinks so")[yes == 1],
        ("people think not", "person thinks not")[no == 1],
    )
    return f"""
                <div class="debate-speech__question-answered">
                    <div class="debate-speech__question-answered-content">
                        <h3>Does this answer the above question?</h3>
                        <p class="debate-speech__question-answered-result">
                            <a rel="nofollow" class="button" href="/vote/?v=1&amp;id={question.id}" title="Rate this as answering the question">Yes</a><span class="question-answered-result__vote-text">{yes} {so}</span>
                        </p>
                        <p class="debate-speech__question-answered-result">
                            <a rel="nofollow" class="button" href="/vote/?v=0&amp;id={question.id}" title="Rate this as NOT answering the question">No</a><span class="question-answered-result__vote-text">{no} {not_so}</span>
                        </p>
                        <p class="subtle">
                            Would you like to <strong>ask a question like this yourself</strong>? Use our <a href="https://www.whatdotheyknow.com">Freedom of Information site</a>.
                        </p>
                    </div>
                </div>
            """


def short_day(day: date | None, welsh: bool) -> str:
    """`%e %B %Y`: a day of one digit has a space before it."""
    return "" if day is None else f"{day.day:2d} {month(day, welsh)} {day.year}"


def month(day: date, welsh: bool) -> str:
    return MONTHS_CY[day.month - 1] if welsh else f"{day:%B}"


def frame(title: str, body: str, path: str, welsh: bool, *, topic: str = "") -> str:
    """A whole page around its body. `topic` is what it is about where the title says more."""
    home = SITE[welsh]
    shown = f"{title} - TheyWorkForYou" if title else "TheyWorkForYou"
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
    <meta charset="utf-8">
    <title>{escape(shown)}</title>
    <link rel="home" title="Home" href="{home}/">
    <meta property="og:site_name" content="TheyWorkForYou">
    <meta property="og:url" content="{escape(home + path)}">
    <meta property="og:title" content="{escape(topic or title)}">
</head>
<body>
    <header class="site-header"><h1 class="site-header__logo"><a href="/">TheyWorkFor<strong>You</strong></a></h1></header>
    <nav class="site-nav" id="main-nav"><form action="/search/"><label for="q">{"Chwiliwch" if welsh else "Search"} TheyWorkForYou</label></form></nav>
{body}
<div id="footer" class="mysoc-footer" role="contentinfo"></div>
</body>
</html>
"""
