"""Sources on the web: health, coverage day by day, problems with their pages as text; and the help beside the search."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from lxml import html
from sqlalchemy import insert

from alerts.query import parse
from pqwatch.web.calendar_page import month_of, weeks
from pqwatch.web.pages.help import GROUPS
from pqwatch.web.pages.search import EXAMPLES
from scraper.archive import Archive
from storage import problems, runs
from storage.coverage import DayCoverage
from storage.ingest import ingest
from storage.records import PARLIAMENT, PageRef, Problem
from storage.schema import listings, windows
from storage.store import Store
from tests.helpers import NOW, answered, observation
from tests.web import visitor

PAGE = b"<html><script>alert(1)</script>Just a moment\xe2\x80\xa6</html>"


@pytest.fixture
def client(store: Store, tmp_path: Path) -> TestClient:
    ingest(store, [observation(answered(uin="1"))], now=NOW)
    archive = Archive(tmp_path / "archive")
    page = archive.write(
        source=PARLIAMENT, job="crawl", url="https://example.org/x", status=403, headers=[], body=PAGE, observed_at=NOW
    )  # fmt: skip
    archive.close()
    with store.write() as conn:
        run = runs.start(conn, "crawl", PARLIAMENT, now=NOW, whole=True)
        runs.finish(conn, run, now=NOW, ok=True, report={})
        found = Problem(
            source=PARLIAMENT,
            kind="blocked",
            url="javascript:alert(1)",
            message="<b>a challenge</b>",
            page=page.ref,
        )
        lost = Problem(
            source="feeds",
            kind="page",
            url="https://example.org/y",
            message="lost",
            page=PageRef("0" * 64, "../../etc/passwd", 0),
        )
        problems.report(conn, [found, lost], now=NOW)
        for key in ("commons/2025-03-03/1", "commons/2025-03-03/2"):
            conn.execute(insert(listings).values(source=PARLIAMENT, day=date(2025, 3, 3), key=key))
        conn.execute(
            insert(windows).values(
                job="crawl", source=PARLIAMENT, window="tabled:2025-03-03", expected=2, seen=2, done_at=NOW
            )
        )
    return visitor(store, tmp_path)


def test_every_source_is_there_with_its_health(client: TestClient) -> None:
    page = client.get("/sources").text
    for name in ("parliament", "theyworkforyou", "parallelparliament", "feeds"):
        assert name in page
    assert "10 March 2025 at 9.00 am" in page
    assert "never read" in page
    assert "1 problem" in page
    assert "&lt;b&gt;a challenge" in page


def test_a_page_with_a_problem_is_shown_as_text(client: TestClient) -> None:
    root = html.fromstring(client.get("/sources").text)
    for address in root.xpath("//a[starts-with(@href, '/sources/problems/')]/@href"):
        page = client.get(str(address))
        assert page.status_code == 200
        assert "<script>alert" not in page.text
        assert "javascript:alert" not in str(html.fromstring(page.text).xpath("//@href"))
        if "challenge" in page.text:
            assert "Just a moment" in html.fromstring(page.text).xpath("string(//pre)")
        else:
            assert "root:" not in page.text
    assert client.get("/sources/problems/999").status_code == 404
    assert client.get("/sources/problems/x").status_code == 404


def test_the_calendar_tells_what_is_missing(client: TestClient) -> None:
    page = client.get("/sources/parliament?month=2025-03")
    root = html.fromstring(page.text)
    (cell,) = root.xpath("//td[.//time[@datetime='2025-03-03']]")
    assert "1 of 2" in " ".join(cell.text_content().split())
    assert cell.get("class") == "missing"
    assert "commons/2025-03-03/2" in page.text
    assert len(root.xpath("//td//time")) == 31
    assert client.get("/sources/nobody").status_code == 404
    assert client.get("/sources/feeds?month=zzzz").status_code == 200
    assert client.get("/sources/feeds?month=0001-01").status_code == 200


@pytest.mark.parametrize(
    ("day", "held", "expected", "missing", "mark"),
    [
        (date(2025, 3, 3), 2, 2, (), "whole"),
        (date(2025, 3, 3), 1, 2, (), "missing"),
        (date(2025, 3, 3), 2, 2, ("commons/2025-03-03/9",), "missing"),
        (date(2025, 3, 3), 2, None, (), "unknown"),
        (date(2025, 3, 3), 0, None, (), "empty"),
        (date(2025, 3, 3), 0, 0, (), "quiet"),
        (date(2025, 3, 8), 0, None, (), "quiet"),
        (date(2025, 3, 20), 0, None, (), "later"),
    ],
)
def test_a_day_is_marked(
    day: date, held: int, expected: int | None, missing: tuple[str, ...], mark: str
) -> None:
    rows = weeks([DayCoverage(day, held, expected, missing)], date(2025, 3, 10))
    (shown,) = [each for row in rows for each in row if each]
    assert shown.mark == mark
    assert shown.word


def test_months_that_cannot_be_shown_are_the_present_one() -> None:
    today = date(2025, 3, 10)
    for text in ("", "2025-13", "9999-01", "1900-01", "x"):
        assert month_of(text, today) == date(2025, 3, 1)


def test_every_example_of_the_help_can_be_asked(client: TestClient) -> None:
    topics = {"drugs": parse("cocaine"), "organised-crime": parse("gang")}
    shown = [example.query for _, examples in GROUPS for example in examples]
    for query in (*shown, *EXAMPLES):
        assert parse(query, topics)
    page = html.fromstring(client.get("/help").text)
    assert len(page.xpath("//a[starts-with(@href, '/?q=')]")) == len(shown)
    for name in ("department", "house", "asker", "minister", "party", "uin", "key", "source", "heading", "state",
                 "named-day", "is", "has", "topic", "question", "answer", "title", "tabled", "answered", "corrected"):  # fmt: skip
        assert any(f"{name}:" in query for query in shown), name


def test_a_head_is_a_get_without_its_body(client: TestClient) -> None:
    for path in ("/", "/sources", "/static/style.css", "/api/v1/health", "/nowhere"):
        got, head = client.get(path), client.head(path)
        assert (head.status_code, head.content) == (got.status_code, b"")
        assert head.headers["content-type"] == got.headers["content-type"]
    assert client.head("/subscribe/check").status_code == 405
