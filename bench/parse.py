"""How many pages a second each parser reads, on one core (CPU time), beside what is asked for.

    python -m bench.parse [--pages 300]

The pages are made up, in the structure and of the size of real ones: 1,400 characters an answer in the API, 27 KB a page of
TheyWorkForYou with its menus, 45 KB and 400 cells a page of 2009, 1,000 rows a list.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from scraper.clean import clean_html
from scraper.source import Page, Parsed
from scraper.spiders import feeds, parallelparliament, parliament, theyworkforyou
from tests.feed_page import Post, rss
from tests.pages import answered, detail_page, list_page, page
from tests.parallel_page import MARK_UPS, Shown
from tests.twfy_page import Speech, answer_page

_LETTERS = "etaoinshrdlucmfwypvbgk"
_MENU = (
    '<ul class="site-nav"><li><a href="/mps/" title="List of Members of Parliament (MPs)" class="">MPs</a></li></ul>\n'
    * 120
)


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table: pages (or rows) a second, and the least that is asked for."""

    what: str
    rate: float
    target: int | None = None


class _Words:
    def __init__(self) -> None:
        self._chance = random.Random(1)
        self._words = [
            "".join(self._chance.choices(_LETTERS, k=self._chance.randint(2, 9))) for _ in range(5_000)
        ]

    def sentence(self, count: int) -> str:
        return " ".join(self._chance.choices(self._words, k=count)).capitalize() + "."

    def paragraphs(self, count: int, words: int = 60) -> str:
        return "".join(f"<p>{self.sentence(words)}</p>" for _ in range(count))


def _api(words: _Words, pages: int) -> list[Page]:
    values = [
        answered(questionText=words.sentence(40)) | {"answerText": words.paragraphs(4)} for _ in range(pages)
    ]
    return [detail_page(value) for value in values]


def _list(words: _Words) -> list[Page]:
    values = [
        answered(id=number, uin=str(number), questionText=words.sentence(40)[:255])
        for number in range(1, 1001)
    ]
    return [list_page(*values)]


def _twfy(words: _Words, pages: int) -> list[Page]:
    return [
        _answer(f"2026-02-02.{number}", words.sentence(40), words.paragraphs(8))
        for number in range(1, pages + 1)
    ]


def _twfy_old(words: _Words, pages: int) -> list[Page]:
    def table() -> str:
        rows = "".join(
            "<tr pid='f.178W.5/8'> " + "".join(f"<td>{words.sentence(3)}</td> " for _ in range(6)) + "</tr>"
            for _ in range(67)
        )
        return f"<table><tbody>{rows}</tbody></table>"

    return [
        _answer(f"2009-10-26f.{number}", words.sentence(40), words.paragraphs(6) + table())
        for number in range(1, pages + 1)
    ]


def _answer(gid: str, question: str, answer: str) -> Page:
    asked = Speech(
        f"{gid}.q0",
        "Alex Example",
        "Labour, Exampleton",
        f"<p>{question}</p>",
        citation="HC Deb, 9 February 2026, cW",
    )
    reply = Speech(f"{gid}.r0", "Sam Sample", "The Minister for Ports", answer, votes=(1, 0))
    body = answer_page(
        f"{gid}.h", "Ports", "Home Office written question", ("2026-02-09", "9 February 2026"), asked, reply
    )
    return page(
        f"https://www.theyworkforyou.com/wrans/?id={gid}.h", body.replace("</header>", f"</header>{_MENU}")
    )


def _parallel(words: _Words, pages: int) -> list[Page]:
    shown = Shown(
        "Ports: Drugs", "2nd February 2026", "Home Office", words.sentence(40), "Sam Sample", "Minister", "9th February 2026",
        tuple(words.sentence(60) for _ in range(5)),
    )  # fmt: skip
    url = "https://www.parallelparliament.co.uk/question/88001/ports-drugs"
    return [page(url, MARK_UPS[number % len(MARK_UPS)](shown)) for number in range(pages)]


def _feed(words: _Words) -> list[Page]:
    posts = [Post(f"post-{number}", number, words.sentence(6), words.paragraphs(15)) for number in range(10)]
    return [page("https://blog.example/feed/", rss(*posts))]


def measure(
    what: str, parse: Callable[[Page], Parsed], pages: Sequence[Page], target: int | None = None
) -> Figure:
    """Things read a second: observations, or rows of a list. Fails where the parser does not read a page."""
    done = 0
    start = time.process_time()
    while time.process_time() - start < 1:
        for each in pages:
            parsed = parse(each)
            if parsed.problems:
                raise RuntimeError(f"{what}: {parsed.problems[0].message}")
            done += len(parsed.rows) or len(parsed.observations)
    return Figure(what, done / (time.process_time() - start), target)


def _answers(words: _Words) -> Figure:
    text = words.paragraphs(12_500)
    start = time.process_time()
    clean_html(text)
    return Figure("MB of answer HTML", len(text) / 1e6 / (time.process_time() - start))


def run(pages: int) -> list[Figure]:
    """All figures."""
    words = _Words()
    return [
        measure("API details", parliament.parse, _api(words, pages), 3_000),
        measure("API list rows", parliament.parse, _list(words)),
        measure("TheyWorkForYou answers", theyworkforyou.parse, _twfy(words, pages), 100),
        measure("TheyWorkForYou 2009", theyworkforyou.parse, _twfy_old(words, min(pages, 40)), 40),
        measure("Parallel Parliament", parallelparliament.parse, _parallel(words, min(pages, 50))),
        measure("feed items", feeds.parse, _feed(words)),
        _answers(words),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=300)
    print(f"{'parsed':24} {'a second':>10} {'target':>10}")
    for each in run(parser.parse_args().pages):
        print(f"{each.what:24} {each.rate:10,.0f} {each.target or '':>10}")


if __name__ == "__main__":
    main()
