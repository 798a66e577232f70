"""The query language for people (`/help`): every construct with an example that leads to its search."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import Response

from pqwatch.web import render

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Example:
    query: str
    meaning: str


GROUPS: tuple[tuple[str, tuple[Example, ...]], ...] = (
    (
        "Words",
        (
            Example("cocaine heroin", "both words, anywhere in the heading, the question or the answer"),
            Example("smuggling", "also smuggle, smuggled, smuggles; capitals and accents make no difference"),
            Example('"county lines"', "these words next to each other, as written"),
            Example("traffick*", "every word that begins so: trafficking, traffickers, trafficked"),
            Example("=ROCU", "exactly this word, capitals as written"),
        ),
    ),
    (
        "Together",
        (
            Example("cocaine OR heroin", "one of them, or both; operators are written in capitals"),
            Example("(cocaine OR heroin) seizures", "brackets hold together what belongs together"),
            Example("drugs NOT prescription", "without the second word; drugs -prescription is the same"),
            Example("seiz* NEAR/10 cocaine", "at most ten words apart, either order"),
        ),
    ),
    (
        "Who",
        (
            Example('department:"Home Office"', "the answering body, by its present or any former name"),
            Example("house:lords", "the House: commons, lords or scotland"),
            Example("asker:smith", "a part of the asking Member’s name"),
            Example("minister:jones", "a part of the answering minister’s name"),
            Example("party:labour", "the asking Member’s party, as it was when first seen"),
        ),
    ),
    (
        "When",
        (
            Example("answered:2025", "a year, a month (2025-03) or a day (2025-03-10)"),
            Example("tabled:2024-01-01..2024-06-30", "from one day to another, both included"),
            Example("corrected:2024..", "from then on; ..2024 is up to then"),
        ),
    ),
    (
        "What became of it",
        (
            Example("state:holding", "tabled, holding, answered, corrected, withdrawn, lapsed or published"),
            Example("is:overdue", "no substantive answer by the day it was due"),
            Example("is:corrected", "corrected at any time"),
            Example("is:pro-forma cocaine", "an answer of stock words"),
            Example("named-day:yes naloxone", "a named-day question"),
            Example("has:table seizures", "with a table; has:attachment: with an attached file"),
        ),
    ),
    (
        "Where in it",
        (
            Example('answer:"not held centrally"', "only in the answer"),
            Example("question:(heroin OR opioid*)", "only in the question"),
            Example("title:smuggling", "only in the heading"),
            Example('heading:"Drugs: Smuggling"', "the whole heading"),
        ),
    ),
    (
        "One question, one topic, one source",
        (
            Example("uin:906096", "the number of a question; numbers repeat from session to session"),
            Example("key:commons/2018-06-21/906096", "the question itself: house, date tabled, number"),
            Example("topic:drugs", "a topic pack: a query written and measured by others"),
            Example("source:feeds", "what a source has shown: here commentary"),
        ),
    ),
)


@router.get("/help")
def help_(request: Request) -> Response:
    """How to search."""
    return render.page(request, "help.html", {"groups": GROUPS})
