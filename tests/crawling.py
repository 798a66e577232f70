"""Runs one job in a process of its own (a reactor runs once a process): `python -m tests.crawling` with its order on stdin."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from storage.problems import OpenProblem, open_problems
from storage.questions import iterate
from storage.records import Record
from storage.store import Store, open_store
from tests.shell import ALL_DAYS, Started, forks

NOW = "2026-02-10T09:00:00+00:00"  # a Tuesday on which both Houses sit
QUICK = {"pause": 0.01, "timeout": 1.0}


@dataclass
class Desk:
    """A database and an archive, and crawls into them."""

    folder: Path
    url: str
    database: str
    values: dict[str, str] = field(default_factory=dict)
    patience: dict[str, Any] = field(default_factory=lambda: dict(QUICK))
    rate: float = 0.0
    sources: tuple[str, ...] = ("parliament",)
    allow_private_hosts: bool = True
    all_days: bool = False  # as far back as a pass looks outside of tests

    def order(self, job: str, now: str = NOW, **more: Any) -> dict[str, Any]:
        return {
            "job": job, "database": self.database, "archive": str(self.folder / "archive"), "now": now, "sources": self.sources,
            "values": {"parliament_url": self.url, **self.values}, "rate": self.rate, "patience": self.patience,
            "allow_private_hosts": self.allow_private_hosts, **more,
        }  # fmt: skip

    def start(self, job: str = "crawl", now: str = NOW, **more: Any) -> Started:
        """The same as `run`, but not waited for."""
        self.folder.mkdir(parents=True, exist_ok=True)
        order = json.dumps(self.order(job, now, **more))
        return forks().start([], self._environ(), self.folder, module="tests.crawling", stdin=order)

    def _environ(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PQWATCH_")}
        return kept | ({ALL_DAYS: "1"} if self.all_days else {})

    def run(self, job: str = "crawl", now: str = NOW, **more: Any) -> list[dict[str, Any]]:
        """Do a job; its reports."""
        order = json.dumps(self.order(job, now, **more))
        self.folder.mkdir(parents=True, exist_ok=True)
        done = forks().run([], self._environ(), self.folder, module="tests.crawling", stdin=order)
        assert done.out, done.err
        return done.json  # type: ignore[no-any-return]

    def crawl(self, now: str = NOW, **more: Any) -> dict[str, Any]:
        """One pass; the report of the first source."""
        return self.run("crawl", now, **more)[0]

    def store(self) -> Store:
        return open_store(self.database)

    def records(self) -> dict[str, Record]:
        """By key, with their versions."""
        store = self.store()
        try:
            with store.read() as conn:
                return {record.key: record for record in iterate(conn, versions=True)}
        finally:
            store.close()

    def problems(self) -> list[OpenProblem]:
        store = self.store()
        try:
            with store.read() as conn:
                return open_problems(conn)
        finally:
            store.close()

    def kinds(self) -> set[str]:
        return {problem.kind for problem in self.problems()}

    def lives(self) -> dict[str, list[str]]:
        """Kinds of the versions of each question, by UIN."""
        return {
            record.content.uin or key: [v.kind.value for v in record.versions]
            for key, record in self.records().items()
        }


def main() -> None:
    from scraper.archive import Archive
    from scraper.engine import Engine
    from scraper.fetch import Patience
    from scraper.reparse import reparse
    from scraper.settings import CrawlSettings
    from scraper.sources import source_named

    order = json.load(sys.stdin)
    store, archive = open_store(order["database"]), Archive(Path(order["archive"]))
    moment = datetime.fromisoformat(order["now"]).astimezone(UTC)
    settings = CrawlSettings(
        order["values"],
        order["rate"],
        "test@example.org",
        order["allow_private_hosts"],
        Patience(**order["patience"]),
    )
    engine = Engine(store, archive, settings, lambda: moment)
    sources = [source_named(name) for name in order["sources"]]
    days = {
        name: date.fromisoformat(order[name]) for name in ("since", "until", "first", "last") if name in order
    }
    if order["job"] == "crawl":
        reports = engine.crawl(sources, **days)
    elif order["job"] == "recheck":
        reports = engine.recheck(sources)
    elif order["job"] == "reparse":
        reports = reparse(sources, store=store, archive=archive, now=lambda: moment)
    else:
        how = {name: order[name] for name in ("restart", "part") if name in order}
        reports = [engine.backfill(sources[0], **days, **how)]
    print(json.dumps([dataclasses.asdict(report) | {"ok": report.ok} for report in reports]))


if __name__ == "__main__":
    main()
