"""Backfills under bad conditions: others that read the same days, a source that changes meanwhile, a disk that fills up."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import date
from pathlib import Path
from typing import Any

from scraper.archive import Archive
from scraper.pipelines import Door
from storage.bulk import one_writer
from storage.store import open_store
from storage.windows import list_day
from tests.crawling import Desk
from tests.helpers import NOW
from tests.pages import answered, api_value
from tests.servers import serving
from tests.shell import Started
from tests.test_crash import dump, some_api

DAYS = {"first": "2026-02-02", "last": "2026-02-09"}


def reports(process: Started) -> Any:
    out, err = process.communicate(timeout=300)
    assert out, err
    return json.loads(out)


def test_parts_of_overlapping_days_at_once_leave_the_rows_of_one_backfill(
    database_url: str, tmp_path: Path
) -> None:
    with serving(some_api()) as site:
        clean = Desk(tmp_path / "clean", site.url, f"sqlite:///{tmp_path}/clean.sqlite3")
        clean.run("backfill", **DAYS)
        desk = Desk(tmp_path / "both", site.url, database_url)
        desk.patience = {**desk.patience, "batch": 3}
        ranges = [{**DAYS, "last": "2026-02-07"}, {**DAYS, "first": "2026-02-04"}]
        begun = [desk.start("backfill", part=True, **days) for days in ranges]
        ended = [reports(each)[0] for each in begun]
        assert [(report["ok"], report["gaps"]) for report in ended] == [(True, 0)] * 2
        found, expected = dump(desk), dump(clean)
        assert {name: len(rows) for name, rows in found.items()} == {
            name: len(rows) for name, rows in expected.items()
        }
        assert [row[0] for row in found["questions"]] == [row[0] for row in expected["questions"]]
        assert found["windows"] == expected["windows"]


def test_a_source_that_changes_while_it_is_read_is_read_whole(tmp_path: Path) -> None:
    """Newest first: the day that is read first gets another question, and so does the one that is read last."""
    api = some_api()
    with serving(api) as site:
        desk = Desk(tmp_path, site.url, f"sqlite:///{tmp_path}/moving.sqlite3", rate=60.0)
        process = desk.start("backfill", **DAYS)
        while len(site.log) < 25:
            time.sleep(0.005)
        late = {
            1990001: api_value(id=1990001, uin="9001", dateTabled="2026-02-09T00:00:00"),
            1990002: answered(id=1990002, uin="9002", dateTabled="2026-02-02T00:00:00"),
        }
        api.values = {**api.values, **late}
        (report,) = reports(process)
        assert (report["ok"], report["gaps"]) == (True, 0)
        assert desk.problems() == []
        assert "9002" in desk.lives()
        desk.crawl()  # a backfill reads a day once; what comes later is for the crawls
        assert set(desk.lives()) == {str(value["uin"]) for value in api.values.values()}


def test_two_that_note_the_same_day_at_once_wait_for_each_other(postgres_url: str, tmp_path: Path) -> None:
    day, store = date(2026, 2, 4), open_store(postgres_url)
    door = Door(store, Archive(tmp_path), source="parliament", job="crawl", now=lambda: NOW, backfilled=False)
    door.day_listed(day, ["commons/2026-02-04/11"])
    with ThreadPoolExecutor(1) as other:
        with store.write() as conn:
            one_writer(conn)
            list_day(conn, "parliament", day, ["commons/2026-02-04/11"])
            noted = other.submit(door.flush)
            assert wait([noted], 0.3).not_done, "it has seen that the day is listed nowhere"
        noted.result()
    store.close()
