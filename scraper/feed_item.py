"""One item of a feed, and how the address of its article carries what only the feed tells. Pure.

A feed that has only summaries makes us read the article's page, which tells neither guid nor date. So the address of that page, as
we ask for it, carries them in its fragment, which no server sees: a page and its address are then enough, today and from the archive.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from urllib.parse import parse_qs, urldefrag, urlencode, urlsplit

from scraper.clean import clean_text, iso_date
from scraper.mentioned import keys_in
from scraper.source import Page
from storage.records import Content, Member, Observation

_MARK = "pqwatch-item"


@dataclass(frozen=True, slots=True)
class Item:
    """What a feed tells of an item beside its text. `host` is that of the feed, without a port."""

    host: str
    guid: str
    link: str
    title: str
    author: str | None
    published_on: date | None

    @property
    def key(self) -> str:
        return f"feed/{self.host.lower()}/{sha256(self.guid.encode()).hexdigest()[:16]}"


def host_of(url: str) -> str:
    return (urlsplit(url).hostname or "unknown").lower()


def article_address(item: Item) -> str:
    """Where the article stands, with what the feed told of it in the fragment."""
    told = {"host": item.host, "guid": item.guid, "title": item.title, "author": item.author or ""}
    told["published"] = item.published_on.isoformat() if item.published_on else ""
    return f"{urldefrag(item.link).url}#{_MARK}&{urlencode(told)}"


def item_of_address(url: str) -> Item | None:
    """The reverse of `article_address`; null for any other address."""
    link, fragment = urldefrag(url)
    mark, _, told = fragment.partition("&")
    fields = parse_qs(told, max_num_fields=8)
    if mark != _MARK or not {"host", "guid"} <= fields.keys():
        return None
    published = fields.get("published", [""])[0]
    return Item(
        host=fields["host"][0],
        guid=fields["guid"][0],
        link=link,
        title=fields.get("title", [""])[0],
        author=fields.get("author", [None])[0],
        published_on=iso_date(published) if published else None,
    )


def observe(source: str, page: Page, item: Item, text: str, html: str, *, whole: bool) -> Observation:
    """The observation of an item; whole with its full text, partial with a summary."""
    content: dict[str, object] = {"heading": clean_text(item.title)} if item.title else {}
    if whole:
        content |= {"answer_text": text, "answer_html": html, "links": keys_in(html)}
    if item.author:
        content["answering_member"] = Member(clean_text(item.author))
    if item.published_on is not None:
        content["answered_on"] = item.published_on
    return Observation(
        source=source,
        source_id=item.key.removeprefix("feed/"),
        url=item.link,
        key=item.key,
        observed_at=page.fetched_at,
        content=Content(**content),  # type: ignore[arg-type]  # names and types as in the lines above
        seen=frozenset(content),
        page=page.ref,
        whole=whole,
    )
