"""Kill -9 at any point of a crawl: the next run completes the work, and nothing tells that anything happened."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from storage.store import Store
from tests import postgres
from tests.crawling import Desk
from tests.pages import answered, api_value, corrected
from tests.servers import Api, Site, serving

KILLS = 20
DAYS = [f"2026-02-{day:02}T00:00:00" for day in range(2, 10)]
SPAN = {"since": "2026-02-02", "until": "2026-02-10"}
TABLES = {
    "versions": """SELECT q.key, v.number, v.kind, v.kinds, v.changed, v.state, v.observed_at, v.source, v.content, v.page_sha256,
                   v.backfilled, v.reconstructed FROM versions v JOIN questions q ON q.id = v.question_id ORDER BY 1, 2""",
    "questions": "SELECT key, official_id, state, number, meaning, layout, observed_at, text_observed_at FROM questions ORDER BY 1",
    "sightings": "SELECT source, source_id, url, first_seen, last_seen, row_digest, digest FROM sightings ORDER BY 1, 2",
    "changes": "SELECT q.key, c.event, c.backfilled FROM changes c JOIN questions q ON q.id = c.question_id ORDER BY 1, 2",
    "windows": "SELECT job, source, \"window\", expected, seen FROM windows ORDER BY 1, 2, 3",
    "listings": "SELECT source, day, key FROM listings ORDER BY 1, 2, 3",
    "aliases": "SELECT key FROM aliases ORDER BY 1",
    "problems": "SELECT source, kind, url FROM problems WHERE ended_at IS NULL ORDER BY 1, 2, 3",
    "mentions": "SELECT q.key, m.key FROM mentions m JOIN questions q ON q.id = m.question_id ORDER BY 1, 2",
}  # fmt: skip


def dump(desk: Desk) -> dict[str, list[Any]]:
    """The database without ids and the times of runs."""
    store = desk.store()
    try:
        return rows_of(store)
    finally:
        store.close()


def rows_of(store: Store) -> dict[str, list[Any]]:
    """The rows of TABLES."""
    with store.read() as conn:
        return {name: [tuple(row) for row in conn.execute(text(query))] for name, query in TABLES.items()}


def some_api() -> Api:
    makers = [api_value, api_value, answered]
    values = [
        makers[n % 3](id=1900000 + n, uin=str(n + 1), dateTabled=DAYS[n % len(DAYS)]) for n in range(48)
    ]
    values.append(corrected(id=1900100, uin="100", dateAnswerCorrected="2026-02-09T00:00:00"))
    return Api(*values)


def kill_at(desk: Desk, site: Site, requests: int, pause: float, job: str = "crawl", **days: str) -> None:
    """Begin a job, and kill it so long after it has made so many requests."""
    site.log.clear()
    process = desk.start(job, **days)
    while len(site.log) < requests and process.poll() is None:
        time.sleep(0.001)
    time.sleep(pause)
    process.kill()
    process.communicate()


Whole = tuple[int, dict[str, list[Any]]]
"""Of an undisturbed run: the number of its requests, and its database."""


def undisturbed(folder: Path, **days: str) -> Whole:
    with serving(some_api()) as site:
        desk = Desk(folder, site.url, f"sqlite:///{folder}/whole.sqlite3")
        assert desk.crawl(**days)["ok"]
        return len(site.log), dump(desk)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    return undisturbed(tmp_path_factory.mktemp("whole"))


@pytest.mark.slow
def test_twenty_kills_leave_the_same_database(tmp_path: Path, whole: Whole) -> None:
    """One in four of a whole pass, most of which is lists of days without questions; the others of the days that have some."""
    (tmp_path / "span").mkdir()
    passes = [({}, whole), *[(SPAN, undisturbed(tmp_path / "span", **SPAN))] * 3]
    chance = random.Random(20260210)
    with serving(some_api()) as site:
        for number in range(KILLS):
            days, (count, expected) = passes[number % len(passes)]
            folder = tmp_path / str(number)
            folder.mkdir()
            desk = Desk(folder, site.url, f"sqlite:///{folder}/crash.sqlite3")
            desk.patience = {**desk.patience, "batch": chance.choice([1, 7, 200])}
            at = chance.randint(1, count)
            kill_at(desk, site, at, chance.random() * 0.1, **days)
            report = desk.crawl(**days)
            assert report["complete"], f"kill {number} after {at} requests: {report}"
            assert dump(desk) == expected, f"kill {number} after {at} requests"


def test_kills_one_after_the_other_on_postgresql(tmp_path: Path, postgres_url: str, whole: Whole) -> None:
    count, _ = whole
    chance = random.Random(7)
    with serving(some_api()) as site:
        clean = Desk(tmp_path / "clean", site.url, postgres_url)
        assert clean.crawl()["ok"]
        expected = dump(clean)
        postgres.empty(postgres_url)
        desk = Desk(tmp_path / "killed", site.url, postgres_url)
        desk.patience = {**desk.patience, "batch": 7}
        for _ in range(4):
            kill_at(desk, site, chance.randint(20, count), chance.random() * 0.1)
        assert desk.crawl()["complete"]
        assert dump(desk) == expected


def test_a_killed_backfill_goes_on_where_it_was(tmp_path: Path) -> None:
    chance = random.Random(11)
    days = {"first": "2026-02-01", "last": "2026-02-09"}
    with serving(some_api()) as site:
        clean, desk = (
            Desk(tmp_path / name, site.url, f"sqlite:///{tmp_path}/{name}.sqlite3")
            for name in ("clean", "killed")
        )
        clean.run("backfill", **days)
        for _ in range(5):
            desk.patience = {**desk.patience, "batch": chance.choice([1, 5])}
            kill_at(desk, site, chance.randint(5, 50), chance.random() * 0.05, "backfill", **days)
        before = windows_done(desk)
        site.log.clear()
        (report,) = desk.run("backfill", **days)
        assert report["gaps"] == 0
        assert not [
            path for path in site.paths for name in before if f"WhenFrom={name.partition(':')[2]}" in path
        ]
        assert dump(desk) == dump(clean)


def windows_done(desk: Desk) -> set[str]:
    return {row[2] for row in dump(desk)["windows"]}
