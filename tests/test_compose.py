"""What a message says, and that hostile text in any field of anything stays text."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date, timedelta
from email import message_from_bytes, policy
from html.parser import HTMLParser
from typing import Any

import feedparser
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.compose.clean import one_line, safe_link, shown
from alerts.compose.passages import pieces
from alerts.compose.stories import WORDS
from alerts.feeds import feed
from alerts.run import run
from alerts.subscriptions import Request, subscribe
from storage.ingest import ingest
from storage.records import Attachment, Body, Kind, Member
from storage.store import Store, open_store
from tests import fakes
from tests.fakes import NOW, answered, make_content, make_setup, observation

HOUR = timedelta(hours=1)

NASTY = [
    "<script>alert(1)</script>",
    "</td></table></div><h1>big</h1>",
    "x\r\nBcc: b@example.org\r\n\r\nbody",
    "\u202egpj.exe\u2066\u2069\u200f",
    "nul\x00 bell\x07 escape\x1b[31m c1\x9b31m",
    '"><img src=x onerror=alert(1)>',
    "javascript:alert(1)",
    "{{ 7*7 }} {% raw %} ${x}",
    "]]><evil/>&lt;&amp;&#x3c;",
    "h" * 10_000,
    "=?utf-8?q?=0D=0ABcc:_b@example.org?=",
    "\ufeff\ufffe\uffff",
]
STORED = tuple(
    each.replace("\x00", "") for each in NASTY
)  # the scraper drops NUL, which PostgreSQL cannot hold


# --- cleaning -----------------------------------------------------------------------------------------------------


@given(st.text())
def test_one_line_is_one_line(text: str) -> None:
    line = one_line(text, 50)
    assert len(line) <= 50
    assert line == " ".join(line.split())
    assert not re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", line)


@given(st.text())
def test_shown_keeps_words_and_line_ends(text: str) -> None:
    safe = shown(text)
    assert shown(safe) == safe
    assert "\x1b" not in safe
    safe.encode()


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://example.org/a?b=c#d", True),
        ("http://example.org", True),
        ("mailto:a@example.org", True),
        ("javascript:alert(1)", False),
        ("JaVaScRiPt:alert(1)", False),
        ("data:text/html,x", False),
        ("https:///nohost", False),
        ("java\nscript:alert(1)", False),
        ("https://example.org/ x", False),
        ("//example.org", False),
        ("", False),
        (None, False),
        ("https://[", False),
    ],
)
def test_links(url: str | None, kept: bool) -> None:
    assert safe_link(url) == (url if kept else None)


# --- passages -----------------------------------------------------------------------------------------------------


@given(
    st.text(alphabet="ab c\n", max_size=3000),
    st.lists(st.tuples(st.integers(0, 3000), st.integers(1, 30)), max_size=20),
    st.integers(100, 1500),
)
@settings(max_examples=200)
def test_pieces_keep_to_the_text_and_its_marks(
    text: str, starts: list[tuple[int, int]], longest: int
) -> None:
    spans = [(start, min(start + size, len(text))) for start, size in starts if start < len(text)]
    found = pieces(text, spans, longest)
    plain = "".join(piece.text for piece in found)
    for part in re.split("… | …", plain):
        assert part in text
    if len(text) <= longest:
        assert plain == text
        covered = {i for start, end in spans for i in range(start, end)}
        assert sum(len(piece.text) for piece in found if piece.marked) == len(covered)
    else:
        assert len(plain) <= longest + 600
    if spans:
        assert any(piece.marked for piece in found)


def test_a_passage_shows_the_match_and_what_is_around_it() -> None:
    text = "first words. " + "filler " * 1000 + "the cocaine was found" + " filler" * 1000
    start = text.index("cocaine")
    found = pieces(text, [(start, start + 7)], 800)
    assert [piece.text for piece in found if piece.marked] == ["cocaine"]
    assert found[0].text == "… "
    assert found[-1].text == " …"
    assert sum(len(piece.text) for piece in found) < 600


def test_every_kind_has_words() -> None:
    assert set(WORDS) == {*Kind, "overdue"}


# --- the whole way ------------------------------------------------------------------------------------------------


class Tags(HTMLParser):
    """Tags, addresses and text of an HTML document."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: list[str] = []
        self.text = ""
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]
        if tag not in ("br", "meta"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag == "br":
            return
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def read_html(html: str) -> Tags:
    found = Tags()
    found.feed(html)
    found.close()
    assert found.open == []
    return found


def hostile(nasty: str) -> Any:
    return answered(
        make_content(
            heading=nasty,
            answering_body=Body(nasty, 1),
            asking_member=Member(nasty, 1, nasty, nasty),
            question_text=f"cocaine {nasty}",
            attachments=(Attachment(nasty, "javascript:alert(1)"),),
        ),
        answer_text=f"{nasty} cocaine {nasty}",
        answering_member=Member(nasty, 2, nasty, nasty, nasty),
    )


def sent(store: Store, tmp: Any, *contents: Any, query: str = "cocaine", **changes: Any) -> list[Any]:
    """The mails that a run of contents, one an hour, brings about."""
    setup = make_setup()
    to = (tmp / "mail").as_uri()
    request = Request(query=query, to=to, **{"on": tuple(Kind), **changes})
    subscribe(store, request, setup=setup, now=NOW - HOUR)
    for hour, content in enumerate(contents):
        ingest(store, [observation(content, NOW + hour * HOUR)], now=NOW + hour * HOUR)
        run(store, now=NOW + hour * HOUR, settings=setup)
    paths = sorted((tmp / "mail").glob("*.eml"), key=lambda path: path.stat().st_mtime_ns)
    return [message_from_bytes(path.read_bytes(), policy=policy.default) for path in paths]


@pytest.mark.parametrize("nasty", STORED, ids=range(len(STORED)))
def test_hostile_text_stays_text(store: Store, tmp_path: Any, nasty: str) -> None:
    worse = replace(
        hostile(nasty), answer_text=f"{nasty} cocaine {nasty} and more", corrected_on=date(2025, 3, 4)
    )
    messages = sent(store, tmp_path, hostile(nasty), worse, name=f"n {nasty}"[:80], note=nasty)
    assert len(messages) == 2
    for message in messages:
        assert message["Bcc"] is None
        assert set(message.keys()) == {
            "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type",
            "List-Unsubscribe", "List-Unsubscribe-Post",
        }  # fmt: skip
        text = message.get_body(("plain",)).get_content()
        html = message.get_body(("html",)).get_content()
        for told in (text, html, message["Subject"]):
            assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", told)
        found = read_html(html)
        assert found.tags <= {
            "html", "head", "meta", "title", "style", "body", "div", "h2", "span", "table", "tr", "td", "p", "mark", "b",
            "a", "ul", "li", "del", "ins", "br",
        }  # fmt: skip
        assert found.attributes <= {
            "lang", "charset", "name", "content", "class", "style", "role", "cellpadding", "cellspacing", "href",
        }  # fmt: skip
        assert all(link.startswith("https://") for link in found.links)


def test_a_text_of_five_megabytes_makes_a_mail_of_reasonable_size(sqlite_url: str, tmp_path: Any) -> None:
    """On one database: it is the composing that is tried."""
    store = open_store(sqlite_url)
    table = "\n".join(f"row {n}\t{'x' * 150}\tcocaine" for n in range(30_000))
    assert len(table) > 5_000_000
    longer = table + "\nlast\t1\tcocaine"
    first, second = sent(
        store,
        tmp_path,
        answered(answer_text=table, answer_html=None),
        answered(answer_text=longer, answer_html=None, corrected_on=date(2025, 3, 5)),
    )
    assert len(first.as_bytes()) < 60_000
    assert "too long for its changes" in second.get_body(("plain",)).get_content()


def test_text_and_html_are_equally_complete(store: Store, tmp_path: Any) -> None:
    before = answered(
        make_content(named_day=True), answer_text="Seizures of cocaine\nYear\tkg\n2023\t100\n2024\t120"
    )
    after = replace(
        before,
        answer_text="Seizures of cocaine\nYear\tkg\n2023\t100\n2024\t125",
        corrected_on=date(2025, 3, 9),
    )
    _, message = sent(store, tmp_path, before, after, name="powder", note="for the report")
    assert message["Subject"] == "Corrected: Drugs: Organised Crime (Home Office)"
    text = message.get_body(("plain",)).get_content()
    html = read_html(message.get_body(("html",)).get_content())
    for told in (
        "Home Office", "Ada Moss (Independent, North Fell)", "Iris Vane (Labour, South Fell)", "24 February 2025",
        "3 March 2025", "9 March 2025", "Due (named day)", "34567", "how many county lines", "powder", "for the report",
        "row “2024”, column “kg”: 120 → 125",
    ):  # fmt: skip
        assert told in text
        assert told in html.text
    assert "[-120-]{+125+}" in text
    assert "https://pqwatch.example/commons/2025-02-24/34567" in text
    assert "https://pqwatch.example/commons/2025-02-24/34567" in html.links
    official = "https://questions-statements.parliament.uk/written-questions/detail/2025-02-24/34567"
    assert official in text
    assert official in html.links


# --- feeds --------------------------------------------------------------------------------------------------------


def test_feeds_hold_one_entry_a_version_whole_and_stable(store: Store, tmp_path: Any) -> None:
    setup = make_setup()
    found = subscribe(store, Request(query="cocaine", to="feed:"), setup=setup, now=NOW - HOUR)
    long = "The answer speaks of cocaine. " + "Words and words. " * 400 + "The very end."
    contents = [answered(answer_text=long), answered(answer_text=long.replace("very end", "end"))]
    bodies = []
    for hour, content in enumerate(contents):
        ingest(store, [observation(content, NOW + hour * HOUR)], now=NOW + hour * HOUR)
        run(store, now=NOW + hour * HOUR, settings=setup)
        made = feed(store, found.token, "atom", setup, now=NOW + hour * HOUR)
        assert made is not None
        bodies.append(made)
    later = feed(store, found.token, "atom", setup, now=NOW + 9 * HOUR)
    assert later == bodies[1]  # nothing new: the same bytes, ETag and time
    assert bodies[0].etag != bodies[1].etag
    one, two = (feedparser.parse(each.body) for each in bodies)
    for parsed in (one, two):
        assert not parsed.bozo
        assert parsed.feed.id.startswith("urn:uuid:")
        assert parsed.feed.updated == parsed.entries[0].updated
        assert parsed.feed.links[0].href == f"https://pqwatch.example/feeds/{found.token}.atom"
    assert [entry.title.partition(":")[0] for entry in two.entries] == ["Edited without notice", "Answered"]
    assert two.entries[1].id == one.entries[0].id
    assert two.entries[1].updated == one.entries[0].updated == "2025-03-03T09:00:00Z"
    assert len({entry.id for entry in two.entries}) == 2
    assert "The very end." in one.entries[0].content[0].value
    assert "Why: your alert" in one.entries[0].content[0].value
    as_json = feed(store, found.token, "json", setup, now=NOW + HOUR)
    assert as_json is not None
    document = json.loads(as_json.body)
    assert document["version"] == "https://jsonfeed.org/version/1.1"
    assert [item["id"] for item in document["items"]] == [entry.id for entry in two.entries]
    assert document["items"][1]["date_published"] == "2025-03-03T09:00:00Z"


@pytest.mark.parametrize("nasty", STORED, ids=range(len(STORED)))
def test_hostile_text_leaves_feeds_valid(store: Store, nasty: str) -> None:
    setup = make_setup()
    found = subscribe(
        store,
        Request(query="cocaine", to="feed:", name=f"x{nasty}"[:90], note=nasty),
        setup=setup,
        now=NOW - HOUR,
    )
    ingest(store, [observation(hostile(nasty), NOW)], now=NOW)
    run(store, now=NOW, settings=setup)
    made = feed(store, found.token, "atom", setup, now=NOW)
    assert made is not None
    parsed = feedparser.parse(made.body)
    assert not parsed.bozo
    assert len(parsed.entries) == 1
    read_html(f"<div>{parsed.entries[0].content[0].value}</div>")
    made = feed(store, found.token, "json", setup, now=NOW)
    assert made is not None
    json.loads(made.body)


def test_there_is_no_feed_under_a_wrong_or_an_ended_address(store: Store) -> None:
    assert feed(store, "nothing", "atom", make_setup(), now=NOW) is None


def test_a_feed_shows_what_a_failing_webhook_could_not(store: Store) -> None:
    setup = make_setup(limit=1.0)
    to = f"http://127.0.0.1:{fakes.silent_port()}/"
    found = subscribe(store, Request(query="cocaine", to=to), setup=setup, now=NOW - HOUR)
    ingest(store, [observation(answered(), NOW)], now=NOW)
    assert run(store, now=NOW, settings=setup).retrying == 1
    made = feed(store, found.token, "atom", setup, now=NOW)
    assert made is not None
    assert len(feedparser.parse(made.body).entries) == 1
