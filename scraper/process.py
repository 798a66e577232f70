"""Scrapy's side: the reactor, which starts once a process, and a crawler for each source in it."""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import scrapy
from scrapy.crawler import AsyncCrawlerProcess, Crawler
from scrapy.settings import Settings as ScrapySettings

from scraper import settings as scrapy_settings
from scraper.settings import CrawlSettings, user_agent
from scraper.source import ScraperError
from scraper.sources import all_sources, source_named
from scraper.task import Task


class TaskSpider(scrapy.Spider):
    """The Scrapy side of a source: does its work while it starts, asking through the engine's downloader."""

    name = "pqwatch"

    def __init__(self, crawler: Crawler, task: Task) -> None:
        super().__init__(task.source.NAME)
        self.task = task
        self.run = task.prepare(crawler)

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> TaskSpider:
        spider = cls(crawler, *args, **kwargs)
        spider._set_crawler(crawler)
        return spider

    async def start(self) -> AsyncIterator[Any]:
        await self.task.do()
        nothing: tuple[Any, ...] = ()
        for item in nothing:  # makes this the asynchronous generator that Scrapy wants
            yield item


class SourceLoader:
    """Tells Scrapy's own commands which spiders there are (`scrapy list`)."""

    @classmethod
    def from_settings(cls, settings: ScrapySettings) -> SourceLoader:
        del settings
        return cls()

    def list(self) -> Sequence[str]:
        return tuple(all_sources())

    def load(self, name: str) -> type[scrapy.Spider]:
        source_named(name)
        raise ScraperError(f"a source needs its store: run `pqwatch crawl {name}` instead")

    def find_by_request(self, request: scrapy.Request) -> Sequence[str]:
        del request
        return ()


class Process:
    """The reactor and the crawlers in it."""

    _used = False

    def __init__(self, settings: CrawlSettings) -> None:
        self._tasks: list[Task] = []
        self._settings = settings

    def add(self, task: Task) -> None:
        self._tasks.append(task)

    def start(self) -> None:
        if not self._tasks:
            return
        if Process._used:
            raise ScraperError("the reactor runs once a process: start a new process for another crawl")
        Process._used = True
        with _quiet():
            process = AsyncCrawlerProcess(self._scrapy_settings())
        for task in self._tasks:
            process.crawl(TaskSpider, task=task).add_done_callback(task.ended)
        with _signals(self._stop):
            process.start(install_signal_handlers=False)

    def _stop(self) -> None:
        for task in self._tasks:
            if task.run is not None:
                task.run.stop.set()

    def _scrapy_settings(self) -> ScrapySettings:
        patience = self._settings.patience
        made = ScrapySettings()
        made.setmodule(scrapy_settings, priority="project")
        made.set("USER_AGENT", user_agent(self._settings.contact))
        made.set("DOWNLOAD_TIMEOUT", patience.timeout)
        made.set("DOWNLOAD_MAXSIZE", patience.max_bytes)
        return made


@contextmanager
def _quiet() -> Iterator[None]:
    """Scrapy turns its own loggers to DEBUG and greets; what it says is for somebody who asked for everything.

    Its warnings too: what they are about (an answer that was cut off) we report ourselves, once.
    """
    everything = logging.getLogger().isEnabledFor(logging.DEBUG)
    before = logging.root.manager.disable
    logging.disable(before if everything else logging.INFO)
    try:
        yield
    finally:
        logging.disable(before)
    for name in ("scrapy", "twisted"):
        logging.getLogger(name).setLevel(logging.DEBUG if everything else logging.ERROR)


@contextmanager
def _signals(stop: Callable[[], None]) -> Iterator[None]:
    """SIGINT and SIGTERM end the runs cleanly; a second one ends the process at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_event_loop()
    names = (signal.SIGINT, signal.SIGTERM)
    before = {name: signal.getsignal(name) for name in names}

    def on_signal() -> None:
        for name in names:
            loop.remove_signal_handler(name)
            signal.signal(name, signal.SIG_DFL)
        stop()

    for name in names:
        loop.add_signal_handler(name, on_signal)
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)
