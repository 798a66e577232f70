"""Feeds of commentary (RSS and Atom) and, where a feed has only summaries, the pages of its articles.

An item is a record of its own, `feed/<host>/<16 hex digits of the guid's SHA-256>`, linked to the questions it speaks of. Bytes are
parsed, nothing is fetched; a feed that declares entities is refused, so that none is ever expanded.
"""

from __future__ import annotations

import io
import re
from calendar import timegm
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, date, datetime
from hashlib import blake2b
from html import escape
from typing import Any
from urllib.parse import urlsplit

import feedparser

from scraper.article import parse_article, without_boilerplate
from scraper.clean import clean_html, clean_text, decode, iso_date, london_date, spoken_date
from scraper.details import Details
from scraper.feed_item import Item, article_address, host_of, item_of_address, observe
from scraper.fetch import INTERRUPTED, FetchError, StoppedError, first_of
from scraper.health import SILENT
from scraper.pages import trouble
from scraper.responses import require_readable, require_whole
from scraper.run import NOT_MODIFIED, Run, Span, in_turn, is_gone
from scraper.source import Page, Parsed, SourceSetting, UnreadableError
from scraper.spider import SourceSpider
from storage.records import Content, Observation, Problem, Row
from storage.windows import Validators, WindowNote

NAME = "feeds"
SETTINGS = (
    SourceSetting(
        "feeds", "https://www.russellwebster.com/feed/", "feeds of commentary, separated by commas"
    ),
)

_LARGEST = 20_000_000
_ENCODING = re.compile(rb"<\?xml[^>]{0,200}\bencoding=[\"']([\w.-]+)")
_ENDS = re.compile(rb"</(?:\w+:)?(?:rss|feed|RDF)\s*>\s*(?:<!--.{0,2000}?-->\s*)*\Z", re.DOTALL)
_STARTS = re.compile(rb"<(?:\w+:)?(?:rss|feed|RDF)[\s>]")
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")
_BARE_ID = re.compile(r"<(guid|id)\s*>(?!\s*(?:<!\[CDATA\[)?\s*[A-Za-z][\w+.-]*:)")
_UTF8 = frozenset({"", "utf-8", "utf8", "us-ascii"})


def parse(page: Page) -> Parsed:
    """The items of a feed, or the one item of an article's page.

    An item with its full text is a whole observation; one with a summary is a partial one, a row, and a link to its article. An
    item without identity or with an impossible date is a problem. Raises UnreadableError for what is neither feed nor
    article, was cut off, or declares entities; BlockedError for a challenge.
    """
    require_readable(page)
    if len(page.body) > _LARGEST:
        raise UnreadableError(f"{page.url}: {len(page.body)} bytes are too many for a feed")
    if item_of_address(page.url) is None and _STARTS.search(page.body, 0, 65536):
        return _parse_feed(page)
    require_whole(page)
    if b"<html" not in page.body[:4096].lower():
        raise UnreadableError(f"{page.url} is neither a feed nor the page of an article")
    return parse_article(NAME, page)


def _parse_feed(page: Page) -> Parsed:
    if re.search(rb"<!ENTITY", page.body):
        raise UnreadableError(f"{page.url} declares entities, which no feed needs; it is not read")
    if not _ENDS.search(page.body[-65536:]):
        raise UnreadableError(f"{page.url} is cut off: its end is missing")
    feed = feedparser.parse(io.BytesIO(_as_utf8(page)), sanitize_html=False, response_headers=_headers(page))
    observations: list[Observation] = []
    first: dict[str, Content] = {}
    rows, links, bad = [], [], []
    for entry in map(dict, feed.entries):  # as a dict of feedparser's own it takes one date for another
        try:
            item = _item(page, entry)
            seen = _observe(page, item, entry)
            if first.setdefault(seen.key, seen.content) != seen.content:
                raise UnreadableError(f"a second item, with another text, is called {item.guid[:60]!r} too")
            observations.append(seen)
        except UnreadableError as error:
            bad.append(str(error))
            continue
        if not observations[-1].whole:
            links.append(article_address(item))
            rows.append(_row(observations[-1], entry, links[-1]))
    problems = (trouble(NAME, "unreadable-row", page, "; ".join(bad[:3])),) if bad else ()
    return Parsed(
        observations=tuple(observations),
        rows=tuple(rows),
        links=tuple(links),
        problems=problems,
        refused=len(bad),
    )


def _as_utf8(page: Page) -> bytes:
    """The feed in UTF-8 without characters that no XML may hold; stray bytes of windows-1252 are mended.

    An identity that is no address is marked so: feedparser would make one of it.
    """
    declared = _ENCODING.search(page.body, 0, 300)
    charset = re.search(r"charset=[\"']?([\w.-]+)", page.headers.get("content-type", ""), re.IGNORECASE)
    name = (charset[1] if charset else declared[1].decode() if declared else "").lower()
    try:
        text = decode(page.body) if name in _UTF8 else page.body.decode(name)
    except (LookupError, UnicodeDecodeError):
        text = decode(page.body)
    text = _BARE_ID.sub(r'<\1 isPermaLink="false">', re.sub(r"\A\s*<\?xml[^>]{0,200}\?>", "", text))
    return _NOT_XML.sub("", text).encode("utf-8", "ignore")


def _headers(page: Page) -> dict[str, str]:
    return {"content-type": "application/xml; charset=utf-8", "content-location": page.url}


def _item(page: Page, entry: Mapping[str, Any]) -> Item:
    link = clean_text(entry.get("link", ""))
    guid = clean_text(entry.get("id", "")) or link
    title = _plain(entry.get("title_detail"), entry.get("title", ""))
    if not guid:
        raise UnreadableError(f"the item {title[:60]!r} has neither guid nor link")
    if not title and not entry.get("content") and not entry.get("summary"):
        raise UnreadableError(f"the item {guid[:60]!r} has neither title nor text")
    author = clean_text(entry.get("author", "")) or None
    return Item(host_of(page.url), guid, link or page.url, title, author, _published(entry, guid))


def _published(entry: Mapping[str, Any], guid: str) -> date:
    """London's date of publication. Raises UnreadableError for none, or one that is no date."""
    field = next((name for name in ("published", "created", "updated") if entry.get(name)), None)
    if field is None:
        raise UnreadableError(f"the item {guid[:60]!r} has no date")
    text = clean_text(entry[field])
    try:
        if re.match(r"\d{4}-\d{2}-\d{2}", text):
            iso_date(text[:10])  # feedparser takes 31 June for 1 July
        parsed = entry.get(f"{field}_parsed")
        if parsed is None:
            return spoken_date(text)
        return london_date(datetime.fromtimestamp(timegm(parsed), UTC))
    except (UnreadableError, ValueError, OverflowError) as error:
        raise UnreadableError(f"the item {guid[:60]!r}: {field} is {text[:60]!r}: {error}") from None


def _observe(page: Page, item: Item, entry: Mapping[str, Any]) -> Observation:
    full = [part for part in entry.get("content", ()) if part.get("value", "").strip()]
    if not full:
        return observe(NAME, page, item, "", "", whole=False)
    html = without_boilerplate(clean_html(_html(full[0]))[1])
    text, html = clean_html(html)
    return observe(NAME, page, item, text, html, whole=True)


def _html(part: Any) -> str:
    value = str(part["value"])
    if part.get("type") == "text/plain":
        return "".join(f"<p>{escape(line, quote=False)}</p>" for line in value.split("\n"))
    return value


def _plain(detail: Any, value: str) -> str:
    if detail and detail.get("type") != "text/plain":
        value = clean_html(value)[0]
    return clean_text(value)


def _row(observation: Observation, entry: Mapping[str, Any], url: str) -> Row:
    shown = "\n".join((url, entry.get("summary", ""), entry.get("updated", "")))
    return Row(
        NAME, observation.source_id, observation.key, blake2b(shown.encode(), digest_size=16).hexdigest(), url
    )


class FeedsSpider(SourceSpider):
    """Each feed with what it said of its age, so that an unchanged one costs a 304; articles only where a feed has summaries.
    What is wrong with one feed does not stop the others."""

    names_hosts = True

    async def crawl(self, run: Run) -> None:
        feeds = _addresses(run)
        run.expect(len(feeds))
        if run.span is None:
            await self._each(run, feeds, self._read_feed)
        else:
            await self._walk(run, run.span.first, run.span.last)

    async def backfill(self, run: Run, first: date, last: date, *, restart: bool = False) -> None:
        if restart:
            run.door.forget_windows(run.door.windows_done())
        run.expect(len(_addresses(run)))
        await self._walk(run, first, last)

    async def _each(self, run: Run, feeds: list[str], work: Callable[[Run, str], Awaitable[None]]) -> None:
        async def one(url: str) -> None:
            interrupted = None
            try:
                await work(run, url)
            except* (FetchError, UnreadableError) as group:
                for error in group.exceptions:
                    run.failed(url, error)  # type: ignore[arg-type]  # one of the two: nothing here nests them
            except* StoppedError as group:
                stopped = first_of(group)
                run.stopped(stopped)
                interrupted = stopped if stopped.kind == INTERRUPTED else None
            if interrupted is not None:
                raise interrupted

        await in_turn(feeds, run.patience.windows, one)

    async def _read_feed(self, run: Run, url: str) -> None:
        kept = run.door.validators_of(url)
        asked = {"If-None-Match": kept.etag, "If-Modified-Since": kept.last_modified}
        parsed, page = await run.read_page(url, {name: value for name, value in asked.items() if value})
        if page.status == NOT_MODIFIED:
            return
        if not parsed.observations and not parsed.refused:
            said = "the feed has no items any more"
            run.door.report([Problem(source=NAME, kind=SILENT, url=url, message=said, page=page.ref)])
        if await self._take(run, url, parsed, Span(date.min, date.max)) and not parsed.refused:
            run.door.page_done(url, Validators(page.headers.get("etag"), page.headers.get("last-modified")))

    async def _walk(self, run: Run, first: date, last: date) -> None:
        """The pages of each feed from the newest on, until one is older than `first`, or there are no more."""
        done = run.door.windows_done() if run.job == "backfill" else {}

        async def walk(run: Run, url: str) -> None:
            shown: set[str] = set()
            for number in range(1, _PAGES + 1):
                address = _paged(url, number)
                if address not in done and not await self._read_page(run, address, Span(first, last), shown):
                    return
                run.expect(1)

        await self._each(run, _addresses(run), walk)

    async def _read_page(self, run: Run, address: str, span: Span, shown: set[str]) -> bool:
        """Whether older pages may have something of these days. Pages grow older as new items come: none is passed over.

        `shown`: what this walk has met. A feed without pages answers each number with the same items. A page is done once all of it
        was taken, since another backfill may ask for its other days.
        """
        try:
            parsed = await run.read(address)
        except FetchError as error:
            if not is_gone(error):
                raise
            return False  # the page behind the last one
        settled = await self._take(run, address, parsed, span)
        run.count_window(whole=settled)
        if settled and all(_in(span, each) for each in parsed.observations):
            run.door.window_done(WindowNote(address, None, len(parsed.observations)))
        new = [each for each in parsed.observations if each.source_id not in shown]
        shown.update(each.source_id for each in new)
        days = [each.content.answered_on for each in new if each.content.answered_on]
        return bool(days) and max(days) >= span.first

    async def _take(self, run: Run, feed: str, parsed: Parsed, span: Span) -> bool:
        of_span = {each.source_id for each in parsed.observations if _in(span, each)}
        run.seen += len(of_span)
        run.door.add(each for each in parsed.observations if each.whole and each.source_id in of_span)
        by_host: dict[str, list[Row]] = {}
        for row in parsed.rows:
            if row.source_id in of_span:
                by_host.setdefault(urlsplit(row.url or "").netloc, []).append(row)
        settled = [
            await self._articles(run, rows, own=host == urlsplit(feed).netloc)
            for host, rows in by_host.items()
        ]
        return all(settled)

    async def _articles(self, run: Run, rows: list[Row], *, own: bool) -> bool:
        """Whether the articles of one host could be read. A feed may link to any host: one that refuses us is a problem of its own
        and stops neither the feed nor, for ever, the end of a first crawl."""
        refused: StoppedError | None = None
        try:
            return await Details(run).settle(rows)
        except* StoppedError as group:
            refused = first_of(group)
        if own or refused.kind == INTERRUPTED:
            raise refused
        run.door.report([Problem(source=NAME, kind=refused.kind, url=refused.url, message=str(refused), page=refused.page)])  # fmt: skip
        return False


_PAGES = 10_000  # of a feed, at most


def _addresses(run: Run) -> list[str]:
    return list(dict.fromkeys(url.strip() for url in run.setting("feeds").split(",") if url.strip()))


def _paged(url: str, number: int) -> str:
    return f"{url}{'&' if '?' in url else '?'}paged={number}"


def _in(span: Span, seen: Observation) -> bool:
    day = seen.content.answered_on
    return day is None or span.first <= day <= span.last
