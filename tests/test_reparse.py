"""Today's parsers over the archive: into an empty database the same again, into a full one what was missing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from sqlalchemy import func, select

from scraper.archive import Archive
from scraper.reparse import reparse
from scraper.source import Page, Parsed, UnreadableError
from scraper.spiders import parliament
from storage.problems import open_problems
from storage.questions import iterate
from storage.records import Record
from storage.schema import changes, runs
from storage.store import Store, open_store
from tests.crawling import Desk
from tests.pages import API, answered, api_value, item
from tests.servers import Api, Reply, serving
from tests.test_crash import dump

BEGIN = datetime(2026, 2, 3, 9, tzinfo=UTC)


def now() -> datetime:
    return BEGIN + timedelta(days=30)


def source(change: Any = None) -> Any:
    """The official source with another parser."""
    return SimpleNamespace(NAME="parliament", SETTINGS=(), parse=change or parliament.parse)


def lives(store: Store) -> dict[str, list[str]]:
    with store.read() as conn:
        return {
            record.content.uin or "": [v.kind.value for v in record.versions]
            for record in iterate(conn, versions=True)
        }


def records(store: Store) -> dict[str, Record]:
    with store.read() as conn:
        return {record.key: record for record in iterate(conn, versions=True)}


def keep(archive: Archive, value: dict[str, Any], days: int, body: bytes | None = None) -> Page:
    """Archive one detail page."""
    return archive.write(
        source="parliament", job="crawl", url=f"{API}/{value['id']}?expandMember=true", status=200, headers=[],
        body=orjson.dumps(item(value)) if body is None else body, observed_at=BEGIN + timedelta(days=days),
    )  # fmt: skip


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    archive = Archive(tmp_path / "archive")
    yield archive
    archive.close()


def test_an_empty_database_is_rebuilt_as_the_crawl_made_it(tmp_path: Path, sqlite_url: str) -> None:
    api = Api(
        *(api_value(id=1900000 + n, uin=str(n), dateTabled=f"2026-02-{n:02}T00:00:00") for n in range(2, 8))
    )
    with serving(api) as site:
        desk = Desk(tmp_path, site.url, sqlite_url)
        desk.crawl("2026-02-10T09:00:00+00:00")
        api.values[1900002] = answered(id=1900002, uin="2")
        api.fault(Reply(500, b"oh"), "/1900002", times=2)
        desk.crawl("2026-02-11T09:00:00+00:00")
        api.values[1900002] = answered(id=1900002, uin="2") | {
            "answerText": "<p>Forty-one parcels were found.</p>"
        }
        desk.crawl("2026-02-12T09:00:00+00:00")
        desk.run("recheck", "2026-02-13T10:00:00+00:00")
        desk.crawl("2026-07-01T09:00:00+00:00")  # the session of 2026 has ended meanwhile
        again = Desk(tmp_path, site.url, f"sqlite:///{tmp_path}/again.sqlite3")
        site.log.clear()
        (report,) = again.run("reparse", "2026-07-02T09:00:00+00:00")
        assert site.log == []
    before, after = dump(desk), dump(again)
    for table in ("versions", "questions", "sightings", "aliases", "mentions"):
        assert after[table] == before[table], table
    assert after["changes"] == []
    assert any("lapsed" in life for life in desk.lives().values())
    assert report["new"] == 6
    store = again.store()
    with store.read() as conn:
        assert conn.scalar(select(func.count()).select_from(runs).where(runs.c.ok, runs.c.whole)) == 1
    store.close()
    assert dump(again) == after
    again.run("reparse", "2026-07-03T09:00:00+00:00")
    assert dump(again) == after  # a second time adds nothing


def test_what_could_not_be_read_is_filled_in(store: Store, archive: Archive) -> None:
    def broken(page: Page) -> Parsed:
        if b"88002" in page.body:
            raise UnreadableError("not yet understood")
        return parliament.parse(page)

    keep(archive, api_value(), 0)
    keep(archive, api_value(id=1900002, uin="88002"), 1)
    (report,) = reparse([source(broken)], store=store, archive=archive, now=now)
    assert (report.problems, report.ok) == (1, False)
    assert lives(store) == {"88001": ["tabled"]}
    (report,) = reparse([source()], store=store, archive=archive, now=now)
    assert report.ok
    assert (report.new, report.versions) == (1, {"tabled": 1})
    record = records(store)["commons/2026-02-02/88002"]
    assert record.versions[0].observed_at == BEGIN + timedelta(days=1)
    with store.read() as conn:
        assert open_problems(conn) == []
        assert conn.scalar(select(func.count()).select_from(changes)) == 0


def test_a_mended_parser_adds_a_reparsed_version(store: Store, archive: Archive) -> None:
    def broken(page: Page) -> Parsed:
        parsed = parliament.parse(page)
        return replace(
            parsed,
            observations=tuple(
                replace(o, content=replace(o.content, answer_text="mangled")) for o in parsed.observations
            ),
        )

    keep(archive, answered(), 0)
    reparse([source(broken)], store=store, archive=archive, now=now)
    (report,) = reparse([source()], store=store, archive=archive, now=now)
    assert report.versions == {"reparsed": 1}
    (record,) = records(store).values()
    assert [v.kind.value for v in record.versions] == ["answered", "reparsed"]
    assert record.content.answer_text == "Forty parcels were found."
    (report,) = reparse([source()], store=store, archive=archive, now=now)
    assert report.versions == {}


def test_a_page_that_read_later_is_no_problem(store: Store, archive: Archive) -> None:
    keep(archive, api_value(), 0, body=b"<html>maintenance</html>")
    keep(archive, api_value(), 1)
    (report,) = reparse([source()], store=store, archive=archive, now=now)
    assert report.ok
    assert lives(store) == {"88001": ["tabled"]}


def test_rows_settle_as_they_did(store: Store, archive: Archive) -> None:
    from storage.ingest import unsettled

    rows = orjson.dumps({"totalResults": 1, "results": [item(answered())]})
    url = f"{API}?tabledWhenFrom=2026-02-02&tabledWhenTo=2026-02-02"
    page = archive.write(
        source="parliament", job="crawl", url=url, status=200, headers=[], body=rows, observed_at=BEGIN
    )
    keep(archive, answered(), 0)
    reparse([source()], store=store, archive=archive, now=now)
    with store.read() as conn:
        assert unsettled(conn, parliament.parse(page).rows) == []


def test_another_source_is_left_alone(store: Store, archive: Archive) -> None:
    keep(archive, api_value(), 0)
    other = SimpleNamespace(NAME="feeds", SETTINGS=(), parse=parliament.parse)
    (report,) = reparse([other], store=store, archive=archive, now=now)  # type: ignore[list-item]
    assert report.seen == 0
    assert lives(store) == {}


def test_an_open_store_is_enough(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/x.sqlite3")
    assert reparse([source()], store=store, archive=Archive(tmp_path / "none"), now=now)[0].ok
    store.close()
