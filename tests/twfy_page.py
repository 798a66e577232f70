"""Pages of TheyWorkForYou in that site's structure, around any text."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

WORDS = {
    "en": ("at  on", "Alert me about debates like this", "Hansard source", "All Written Answers on", "Tweet"),
    "cy": (
        "am  ar",
        "Danfonwch hysbysiad imi am ddadleuon fel hyn",
        "Ffynhonnell Hansard",
        "Pob Written Answers ar",
        "Trydar",
    ),
}


@dataclass(frozen=True)
class Speech:
    gid: str  # its own: 2026-02-02.88001.q0
    name: str
    position: str
    html: str  # what stands in the content
    person: str = "/mp/?p=60001"
    source: str = ""  # the official address
    citation: str = ""  # HC Deb, 9 February 2026, cW
    votes: tuple[int, int] | None = None


def answer_page(
    gid: str,
    heading: str,
    lead: str,
    day: tuple[str, str],
    *speeches: Speech,
    lang: str = "en",
    path: str = "/wrans/",
) -> str:
    """`lead`: "Home Office written question"; `day`: ISO and in words, or "" and the words of an old lead line."""
    when, alert, source, _, tweet = WORDS[lang]
    answered = f'{when} <a href="{path}?d={day[0]}">{day[1]}</a>' if day[0] else day[1]
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{escape(heading)}: {day[1]}: Hansard Written Answers - TheyWorkForYou</title>
<meta property="og:url" content="https://www.theyworkforyou.com{path}?id={gid}"></head>
<body>
<header class="site-header"><h1 class="site-header__logo"><a href="/">TheyWorkFor<strong>You</strong></a></h1></header>
<div class="banner"><h1>Please help us</h1><p class="lead">written question of money</p></div>
<div class="debate-header regional-header regional-header--uk-commons"><div class="debate-header__content full-page__unit">
<h1>{escape(heading)}</h1>
<p class="lead">
   {lead} &ndash; answered                {answered}.
</p>
<p class="cta"><a class="button alert" href="/alerts/?alertsearch=x">{alert}</a></p></div></div>
<div class="full-page">
{"".join(_speech(each, source, tweet, path) for each in speeches)}
<div class="debate-comments"></div>
<aside class="js-glossary-drawer"><h2>Definition</h2></aside></div>
<div id="footer" class="mysoc-footer">&nbsp;</div>
</body></html>
"""


def _speech(speech: Speech, source: str, tweet: str, path: str) -> str:
    anchor = "g" + speech.gid.partition(".")[2]
    link = (
        f'<a href="{speech.source}" class="debate-speech__meta__link">{source}</a>' if speech.source else ""
    )
    citation = f"<span> (Citation: {speech.citation})</span>" if speech.citation else ""
    return f"""
<div class="debate-speech" id="{anchor}"><div class="full-page__row"><div class="full-page__unit"><a name="{anchor}"></a>
<div class="debate-speech__speaker-and-content">
<h2 class="debate-speech__speaker"><a href="{speech.person}"><img src="/images/unknownperson.png" alt="Photo of {escape(speech.name)}">
<strong class="debate-speech__speaker__name">{escape(speech.name)}</strong>
<small class="debate-speech__speaker__position">{escape(speech.position)}</small></a></h2>
<div class="debate-speech__content">                {speech.html}            </div>
{_votes(speech.votes)}</div>
<ul class="debate-speech__meta debate-speech__links"><li class="link-to-speech"><a href="https://twitter.com/share?x" class="twitter">{tweet}</a>
<a href="https://www.facebook.com/x" data-url="https://www.theyworkforyou.com{path}?id={speech.gid}" class="facebook">Share</a></li>
<li class="link-to-hansard">{link}{citation}</li></ul></div></div></div>
"""


def _votes(votes: tuple[int, int] | None) -> str:
    if votes is None:
        return ""
    thinks = ["person thinks" if vote == 1 else "people think" for vote in votes]
    result = "question-answered-result__vote-text"
    return f"""<div class="debate-speech__question-answered"><div class="debate-speech__question-answered-content">
<h3>Does this answer the above question?</h3>
<p class="debate-speech__question-answered-result"><a rel="nofollow" class="button" href="/vote/?v=1">Yes</a><span class="{result}">{votes[0]} {thinks[0]} so</span></p>
<p class="debate-speech__question-answered-result"><a rel="nofollow" class="button" href="/vote/?v=0">No</a><span class="{result}">{votes[1]} {thinks[1]} not</span></p>
<p class="subtle">Would you like to <strong>ask a question like this yourself</strong>? Use our <a href="https://www.whatdotheyknow.com">Freedom of Information site</a>.</p>
</div></div>"""
