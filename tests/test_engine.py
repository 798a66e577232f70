"""Several sources in one process, against the replica: one record for each question, and no source stops another."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest
from scrapy import Request

from pqwatch.replica.server import Replica, serve
from scraper.archive import Archive
from scraper.fetch import FetchError
from scraper.middlewares import BudgetMiddleware
from scraper.parsing import parse as parse_page
from scraper.pipelines import Door
from scraper.private import refuse
from scraper.run import retry_after
from scraper.source import Page, Parsed, ScraperError, UnreadableError
from scraper.sources import UnknownSourceError, all_sources, source_named, spider_of
from storage.records import PageRef
from storage.store import StorageError, open_store
from tests.crawling import Desk
from tests.fakes import NOW as SOME_TIME
from tests.feed_page import Post, article_page, rss
from tests.servers import Reply, Site, serving

ALL = ("parliament", "theyworkforyou", "parallelparliament", "feeds")
STEPS = ("2026-03-05T08:00:00+00:00", "2026-03-12T08:00:00+00:00", "2026-03-14T08:00:00+00:00")


@pytest.fixture
def replica() -> Iterator[Replica]:
    with serve() as replica:
        yield replica


@pytest.fixture
def desk(tmp_path: Path, replica: Replica, sqlite_url: str) -> Desk:
    values = {
        name.removeprefix("PQWATCH_").lower(): value
        for name, value in replica.settings().items()
        if "URL" in name or name.endswith("FEEDS")
    }
    return Desk(tmp_path, replica.url, sqlite_url, values=values, sources=ALL)


def walk(desk: Desk, replica: Replica, steps: tuple[str, ...] = STEPS) -> list[list[dict[str, object]]]:
    reports = []
    for step in steps:
        replica.set_clock(step)
        reports.append(desk.run("crawl", step))
    return reports


def paths(replica: Replica) -> list[str]:
    return [each["path"] for each in replica.log]


def test_every_source_is_found_and_has_a_spider() -> None:
    found = all_sources()
    assert list(found) == ["parliament", "feeds", "parallelparliament", "theyworkforyou"]
    assert all(spider_of(source) for source in found.values())
    with pytest.raises(
        UnknownSourceError, match="'parlament' is no source: expected one of parliament, feeds"
    ):
        source_named("parlament")
    with pytest.raises(ScraperError, match="has no spider"):
        spider_of(SimpleNamespace(NAME="x"))  # type: ignore[arg-type]


def test_scrapy_lists_the_sources() -> None:
    said = subprocess.run(
        [sys.executable, "-m", "scrapy", "list"], capture_output=True, text=True, check=True
    )
    assert said.stdout.split() == sorted(all_sources())


def test_sources_load_without_scrapy() -> None:
    code = "import sys, scraper.sources as s; s.all_sources(); sys.exit('scrapy' in sys.modules or 'twisted' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_question_of_all_sources_is_one_record(desk: Desk, replica: Replica) -> None:
    reports = walk(desk, replica)
    assert all(report["ok"] for step in reports for report in step), desk.problems()
    record = desk.records()["commons/2026-03-02/117201"]
    assert {seen.source for seen in record.sources} == {"parliament", "theyworkforyou", "parallelparliament"}
    assert not record.provisional
    assert any(key.startswith("feed/") for key in desk.records())


def test_robots_rules_are_kept_and_forbidden_places_not_asked(desk: Desk, replica: Replica) -> None:
    walk(desk, replica, STEPS[:1])
    assert "/robots.txt" in paths(replica)
    assert not [path for path in paths(replica) if path.startswith(("/search", "/pwdata", "/user"))]


def test_nothing_new_reads_lists_only(desk: Desk, replica: Replica) -> None:
    walk(desk, replica, STEPS[:2])
    replica.log.clear()
    replica.stage.log.clear()
    desk.run("crawl", "2026-03-12T09:00:00+00:00")
    asked = paths(replica)
    assert not [path for path in asked if "id=" in path or path.startswith("/question/")]
    assert [each["status"] for each in replica.log if each["path"].startswith("/feed")] == [304]


def test_answer_pages_are_read_again_after_some_days(desk: Desk, replica: Replica) -> None:
    desk.sources = ("theyworkforyou",)
    walk(desk, replica, ("2026-03-07T08:00:00+00:00",))
    before = [path for path in paths(replica) if "id=" in path]
    replica.stage.log.clear()
    desk.run("crawl", "2026-03-07T20:00:00+00:00")
    assert not [path for path in paths(replica) if "id=" in path]
    desk.run("crawl", "2026-03-08T08:00:00+00:00")
    assert {path for path in paths(replica) if "id=" in path} <= set(before)
    assert [path for path in paths(replica) if "id=" in path]


def test_welsh_pages_are_further_addresses_of_the_same_record(desk: Desk, replica: Replica) -> None:
    desk.values["languages"] = "en,cy"
    desk.sources = ("parliament", "theyworkforyou")
    walk(desk, replica, STEPS[1:2])
    record = desk.records()["commons/2026-03-02/117201"]
    urls = {seen.url for seen in record.sources if seen.source == "theyworkforyou"}
    assert len(urls) == 2


def test_a_blocked_source_is_told_and_the_others_go_on(desk: Desk, replica: Replica) -> None:
    replica.set_clock(STEPS[1])
    replica.fault("challenge", match="/dept/", times=99)
    reports = {report["source"]: report for report in desk.run("crawl", STEPS[1])}
    assert desk.kinds() == {"blocked"}
    assert not reports["parallelparliament"]["complete"]
    assert all(report["ok"] for name, report in reports.items() if name != "parallelparliament")


def test_backfill_of_theyworkforyou_and_feeds(desk: Desk, replica: Replica) -> None:
    replica.set_clock(STEPS[2])
    for name in ("theyworkforyou", "feeds"):
        desk.sources = (name,)
        (report,) = desk.run("backfill", STEPS[2], first="2026-03-01", last="2026-03-13")
        assert report["new"] > 0
        assert report["gaps"] == 0
        assert all(v.backfilled for record in desk.records().values() for v in record.versions)
        replica.stage.log.clear()
        (report,) = desk.run("backfill", STEPS[2], first="2026-03-01", last="2026-03-12")
        assert report["new"] == 0
        assert not [path for path in paths(replica) if "?d=" in path]


def test_the_archive_of_all_sources_rebuilds_the_same(desk: Desk, replica: Replica) -> None:
    from tests.test_crash import dump

    walk(desk, replica)
    again = Desk(desk.folder, "", f"sqlite:///{desk.folder}/again.sqlite3", sources=ALL)
    reports = again.run("reparse", STEPS[2])
    assert all(report["ok"] for report in reports)
    before, after = dump(desk), dump(again)
    for table in ("questions", "versions", "aliases"):
        assert after[table] == before[table], table


def test_what_waited_while_a_large_page_was_read_goes_out_one_by_one(sqlite_url: str) -> None:
    store = open_store(sqlite_url)
    run = SimpleNamespace(
        settings=SimpleNamespace(rate=4.0), slowest={}, job="crawl", door=SimpleNamespace(store=store), sleep=asyncio.sleep
    )  # fmt: skip
    budget = BudgetMiddleware(SimpleNamespace(spider=SimpleNamespace(run=run)))  # type: ignore[arg-type]
    sent: list[float] = []

    async def ask() -> None:
        await budget.process_request(Request("https://example.org/"))
        sent.append(time.monotonic())

    async def all_at_once() -> None:
        asked = [asyncio.create_task(ask()) for _ in range(4)]
        await asyncio.sleep(0.02)
        time.sleep(0.3)  # noqa: ASYNC251  # a page that takes long to read
        await asyncio.gather(*asked)

    asyncio.run(all_at_once())
    store.close()
    assert min(after - before for before, after in pairwise(sent)) > 0.15, (
        "a quarter of a second each, if the machine is on time"
    )


# --- feeds and private places -------------------------------------------------------------------------------------


def feed_site(link: str) -> str:
    return f"""<?xml version="1.0"?><rss version="2.0"><channel><title>t</title><item><title>One post</title><link>{link}</link>
    <guid>g1</guid><pubDate>Mon, 02 Mar 2026 09:00:00 +0000</pubDate><description>A summary</description></item></channel></rss>"""


@pytest.fixture
def blog() -> Iterator[Site]:
    with serving(lambda path, headers: Reply(404)) as site:
        body = feed_site(f"{site.url}/post").encode()
        site.answer = lambda path, headers: Reply(body=body, headers={"Content-Type": "application/rss+xml"})
        yield site


def test_feeds_do_not_reach_private_hosts(tmp_path: Path, blog: Site, sqlite_url: str) -> None:
    desk = Desk(
        tmp_path,
        "",
        sqlite_url,
        values={"feeds": f"{blog.url}/feed/"},
        sources=("feeds",),
        allow_private_hosts=False,
    )
    desk.crawl("2026-03-05T08:00:00+00:00")
    assert blog.log == []
    assert desk.kinds() == {"private-address"}


def test_an_article_on_a_host_that_forbids_it_stops_nothing_else(
    tmp_path: Path, blog: Site, sqlite_url: str
) -> None:
    def forbidding(path: str, _headers: object) -> Reply:
        return Reply(body=b"User-agent: *\nDisallow: /\n") if path == "/robots.txt" else Reply(404)

    def answering(path: str, _headers: object) -> Reply:
        if path == "/feed/":
            return Reply(body=feed.encode(), headers={"Content-Type": "application/rss+xml"})
        return (
            Reply(body=article_page("One post", "", "<p>Words.</p>").encode())
            if path == "/post"
            else Reply(404)
        )

    with serving(forbidding) as other:
        elsewhere = feed_site(f"{other.url}/post").replace("g1", "g2").partition("<item>")[2].partition("</item>")[0]  # fmt: skip
        feed = feed_site(f"{blog.url}/post").replace("<item>", f"<item>{elsewhere}</item><item>")
        blog.answer = answering
        values = {"feeds": f"{blog.url}/feed/"}
        desk = Desk(tmp_path, "", sqlite_url, values=values, sources=("feeds",))
        report = desk.crawl("2026-03-05T08:00:00+00:00")
        assert other.paths == []
    assert (report["new"], report["complete"]) == (1, True)
    assert [(problem.kind, problem.url) for problem in desk.problems()] == [("robots", f"{other.url}/")]


def test_a_backfill_walks_back_through_the_pages_of_a_feed(
    tmp_path: Path, blog: Site, sqlite_url: str
) -> None:
    """One page a number until the 404; a feed that has no pages is read to where it repeats itself."""

    def answering(path: str, _headers: object) -> Reply:
        feed, _, number = path.partition("?paged=")
        if feed == "/robots.txt" or number == "4":
            return Reply(404)
        days = (20 - 2 * int(number), 19 - 2 * int(number)) if feed == "/feed/" else (16,)
        items = (Post(f"p{day}", day, "A post", "<p>Words.</p>", f"Wed, {day} Feb 2026 06:00:00 +0000") for day in days)  # fmt: skip
        return Reply(body=rss(*items).replace("?p=", f"{feed}?p=").encode())

    blog.answer = answering
    desk = Desk(tmp_path, "", sqlite_url, values={"feeds": f"{blog.url}/feed/"}, sources=("feeds",))
    for first, new in (("2026-02-16", 3), ("2026-02-01", 3)):
        (report,) = desk.run("backfill", STEPS[0], first=first, last="2026-02-28")
        assert (report["new"], report["ok"]) == (new, True), "what was left out before is taken now"
    blog.log.clear()
    desk.values["feeds"] = f"{blog.url}/atom/"
    (report,) = desk.run("backfill", STEPS[0], first="2026-02-01", last="2026-02-28")
    assert (report["new"], blog.paths) == (1, ["/atom/?paged=1", "/atom/?paged=2"])


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://[::1]/x",
        "http://10.0.0.1:8080/",
        "http://169.254.169.254/",
        "http://localhost/",
    ],
)
def test_private_addresses_are_refused(url: str) -> None:
    with pytest.raises(FetchError, match="private address"):
        asyncio.run(refuse(url))


def test_a_broken_feed_does_not_stop_the_others(tmp_path: Path, replica: Replica, sqlite_url: str) -> None:
    replica.set_clock(STEPS[2])
    feeds = f"{replica.url}/nothing/,{replica.url}/feed/"
    desk = Desk(tmp_path, "", sqlite_url, values={"feeds": feeds}, sources=("feeds",))
    report = desk.crawl(STEPS[2])
    assert report["new"] > 0
    assert not report["complete"]
    assert [problem.url for problem in desk.problems()] == [f"{replica.url}/nothing/"]


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("5", 5.0), ("Mon, 03 Mar 2025 09:01:00 GMT", 60.0), ("Mon, 03 Mar 2025 08:00:00 GMT", 0.0), ("soon", None), (None, None), ("", None)],
)  # fmt: skip
def test_retry_after_is_read(value: str | None, seconds: float | None) -> None:
    assert retry_after(value, SOME_TIME) == seconds


# --- faults of the machine, and of ours ---------------------------------------------------------------------------


def test_an_archive_that_cannot_be_written_is_one_clear_line(desk: Desk) -> None:
    desk.sources = ("parliament", "feeds")
    (desk.folder / "archive").write_text("in the way")
    for report in desk.run("crawl", STEPS[2]):
        assert report["error"].startswith("archive: cannot write to ")
        assert not report["complete"]
    assert desk.records() == {}


def test_a_parser_that_fails_loses_its_page_and_nothing_else() -> None:
    def parse(page: Page) -> Parsed:
        raise RecursionError("too deep")

    source = SimpleNamespace(NAME="x", SETTINGS=(), parse=parse)
    page = Page("https://example.org/", 200, {}, b"", SOME_TIME, PageRef("0"))
    with pytest.raises(UnreadableError, match="the parser failed on this page: RecursionError: too deep"):
        parse_page(source, page)  # type: ignore[arg-type]


def test_a_lock_that_was_taken_over_ends_the_storing(tmp_path: Path, sqlite_url: str) -> None:
    def guard() -> None:
        raise StorageError("the lock was taken over")

    store = open_store(sqlite_url)
    door = Door(
        store,
        Archive(tmp_path),
        source="x",
        job="crawl",
        now=lambda: SOME_TIME,
        backfilled=False,
        guard=guard,
    )
    with pytest.raises(StorageError, match="taken over"):
        door.flush()
    store.close()
