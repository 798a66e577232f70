"""Written answers of the Scottish Parliament, from the replica's TheyWorkForYou."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from pqwatch.replica.server import Replica, serve
from scraper.spiders.theyworkforyou import parse
from storage.coverage import coverage
from storage.records import House, State
from tests.crawling import Desk
from tests.pages import page

NOW = "2026-03-05T08:00:00+00:00"
LATER = "2026-03-05T20:00:00+00:00"
FIRST, SECOND = "scotland/2026-03-04/S6W-40101", "scotland/2026-03-04/S6W-40102"


@pytest.fixture
def replica() -> Iterator[Replica]:
    with serve(at=NOW) as replica:
        yield replica


@pytest.fixture
def desk(tmp_path: Path, replica: Replica, sqlite_url: str) -> Desk:
    values = {"theyworkforyou_url": replica.url, "theyworkforyou_cy_url": replica.cy_url}
    return Desk(tmp_path, replica.url, sqlite_url, values=values, sources=("theyworkforyou",))


def scottish(replica: Replica) -> list[str]:
    asked = [each["path"] for each in replica.log if each["path"].startswith("/spwrans/")]
    replica.stage.log.clear()
    return asked


def test_both_parliaments_are_read_and_only_what_is_new(desk: Desk, replica: Replica) -> None:
    report = desk.crawl(NOW)
    assert (report["ok"], desk.problems()) == (True, [])
    assert scottish(replica) == ["/spwrans/?y=2026", "/spwrans/?d=2026-03-04", "/spwrans/?id=2026-03-04.S6W-40101.h"]  # fmt: skip
    held = desk.records()
    assert {record.content.house for record in held.values()} >= {House.COMMONS, House.SCOTLAND}
    record = held[FIRST]
    assert (record.state, record.provisional, record.content.uin) == (State.ANSWERED, False, "S6W-40101")
    assert record.content.asking_member.name == "Isla Kerrigan"  # type: ignore[union-attr]
    assert record.content.grouped_with == (SECOND,)
    assert held[SECOND].content.answer_text == record.content.answer_text
    assert record.sources[0].url == f"{replica.url}/spwrans/?id=2026-03-04.S6W-40101.h"
    assert desk.crawl(LATER)["new"] == 0
    assert scottish(replica) == ["/spwrans/?y=2026", "/spwrans/?d=2026-03-04"]
    store = desk.store()
    with store.read() as conn:
        (day,) = coverage(conn, "theyworkforyou", date(2026, 3, 4), date(2026, 3, 4))
    store.close()
    assert day.missing == ()


def test_the_setting_chooses_the_parliament(desk: Desk, replica: Replica) -> None:
    desk.values["theyworkforyou_sections"] = "wrans"
    desk.crawl(NOW)
    assert not scottish(replica)
    desk.values["theyworkforyou_sections"] = "spwrans"
    assert desk.crawl(LATER)["new"] == 2
    assert scottish(replica)


def test_a_backfill_is_done_when_both_are(desk: Desk, replica: Replica) -> None:
    replica.set_clock("2026-03-12T08:00Z")
    days = {"first": "2026-03-03", "last": "2026-03-05"}
    replica.fault("http", match="/spwrans/?y=", status=404, times=1)  # it has no such year: nothing to read
    (report,) = desk.run("backfill", LATER, **days)
    assert report["gaps"] == 0
    assert FIRST not in desk.records()
    replica.fault("http", match="/spwrans/?y=", status=500, times=3)
    (report,) = desk.run("backfill", LATER, **days, restart=True)
    assert report["gaps"] > 0, "which days the Scottish section has is not known"
    (report,) = desk.run("backfill", LATER, **days)
    assert report["gaps"] == 0
    assert FIRST in desk.records()
    scottish(replica)
    desk.run("backfill", LATER, **days)
    assert scottish(replica) == ["/spwrans/?y=2026"]


def test_a_year_without_answers_is_no_fault() -> None:
    said = '<html><body><div class="business-section__primary">No data to display.</div></body></html>'
    parsed = parse(page("https://www.theyworkforyou.com/spwrans/?y=2013", said))
    assert (parsed.links, parsed.problems) == ((), ())
    changed = parse(page("https://www.theyworkforyou.com/wrans/?y=2013", said.replace("No data", "Data")))
    assert [problem.kind for problem in changed.problems] == ["missing-anchor"]
