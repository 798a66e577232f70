"""What stands between every request and the network: robots.txt and the budget of requests. Scrapy's downloader middlewares.

They get at the run through the spider (`crawler.spider.run`), and raise StoppedError, which `download_async` hands on.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from protego import Protego
from scrapy import Request
from scrapy.http import Response

from scraper.fetch import FetchError, StoppedError
from scraper.run import Run
from storage import budgets

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

_ROBOTS = "pqwatch_robots"  # marks a request for robots.txt itself
_AGENT = "pqwatch"
_LONGEST = 512 * 1024  # bytes of a robots.txt that are read


class RobotsMiddleware:
    """Obeys robots.txt: missing, everything is allowed; unreadable for now (5xx, no answer), nothing is fetched."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._rules: dict[str, asyncio.Task[Protego]] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> RobotsMiddleware:
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        if request.meta.get(_ROBOTS):
            return
        parts = urlsplit(request.url)
        root = f"{parts.scheme}://{parts.netloc}/"
        if root not in self._rules:
            self._rules[root] = asyncio.create_task(self._load(root))
        rules = await asyncio.shield(self._rules[root])
        if not rules.can_fetch(request.url, _AGENT):
            raise StoppedError("robots", root, f"robots.txt of {parts.netloc} forbids it: nothing is fetched")
        delay = rules.crawl_delay(_AGENT)
        if delay:
            self._run.slowest[parts.netloc] = 1 / delay

    @property
    def _run(self) -> Run:
        run = self._crawler.spider.run  # type: ignore[union-attr]
        assert isinstance(run, Run)  # noqa: S101  # for mypy: the engine makes no other spider
        return run

    async def _load(self, root: str) -> Protego:
        url, patience = f"{root}robots.txt", self._run.patience
        for attempt in range(1, patience.tries + 1):
            said, response = await self._ask(url)
            if response is not None and response.status < 400:
                return Protego.parse(response.body[:_LONGEST].decode("utf-8", "replace"))
            if response is not None and response.status < 500 and response.status != 429:
                return Protego.parse("")
            if attempt < patience.tries:
                await self._run.pause(attempt)
        raise StoppedError("robots", root, f"{url} {said}: nothing is fetched until it can be read")

    async def _ask(self, url: str) -> tuple[str, Response | None]:
        from scraper.download import download

        try:
            _, response = await download(self._crawler, url, meta={_ROBOTS: True})
        except FetchError as error:
            return f"cannot be read ({error})", None
        return f"answered with HTTP {response.status}", response


class BudgetMiddleware:
    """Lets a request through when a slot of the budget of all processes has come for its host.

    One at a time: what waits while a large page is parsed would otherwise all go out at once after it.
    """

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._turns: dict[str, asyncio.Lock] = {}
        self._sent: dict[str, float] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> BudgetMiddleware:
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        run = self._crawler.spider.run  # type: ignore[union-attr]
        host = urlsplit(request.url).netloc
        rates = [rate for rate in (run.settings.rate, run.slowest.get(host, 0.0)) if rate]
        if not rates:
            return
        async with self._turns.setdefault(host, asyncio.Lock()):
            await run.sleep(await self._wait(run, host, min(rates)))
            self._sent[host] = time.monotonic()

    async def _wait(self, run: Run, host: str, rate: float) -> float:
        """Seconds to the slot that was taken, and at least as many as the last request that was late needs."""
        low = run.job == "backfill"
        while not (slot := budgets.take(run.door.store, host, rate, low_priority=low)).taken:
            await run.sleep(slot.wait)
        return max(slot.wait, self._sent.get(host, float("-inf")) + 1 / rate - time.monotonic())
