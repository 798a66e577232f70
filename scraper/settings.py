"""Scrapy's own settings (`scrapy.cfg` points here), lean: what a crawl does not need is not loaded.

Retries, redirects and the order of requests are ours (`scraper.run`, `scraper.middlewares`), because a failed list must be narrowed,
never taken for an empty one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version

from scraper.fetch import Patience

BOT_NAME = "pqwatch"
SPIDER_LOADER_CLASS = "scraper.process.SourceLoader"
TWISTED_REACTOR = "twisted.internet.asyncioreactor.AsyncioSelectorReactor"
TELNETCONSOLE_ENABLED = False
COOKIES_ENABLED = False
LOG_ENABLED = False  # the command line has set up the logs
LOG_INSTALL_ROOT_HANDLER = False
EXTENSIONS_BASE: dict[str, int] = {}
SPIDER_MIDDLEWARES_BASE: dict[str, int] = {}
ITEM_PIPELINES_BASE: dict[str, int] = {}
DOWNLOADER_MIDDLEWARES_BASE: dict[str, int] = {}
DOWNLOADER_MIDDLEWARES = {
    "scraper.middlewares.RobotsMiddleware": 100,
    "scrapy.downloadermiddlewares.httpcompression.HttpCompressionMiddleware": 590,
    "scraper.middlewares.BudgetMiddleware": 900,  # the last before the network: nothing goes round it
}
DOWNLOADER_STATS = False
DOWNLOAD_DELAY = 0  # the budget of all processes spaces the requests
CONCURRENT_REQUESTS = 64  # the run's own limit is lower
CONCURRENT_REQUESTS_PER_DOMAIN = 64
DOWNLOAD_WARNSIZE = 0
DOWNLOAD_FAIL_ON_DATALOSS = True  # a body that was cut off is an error


@dataclass(frozen=True, slots=True)
class CrawlSettings:
    """What a crawl takes from the settings: values of the sources' own ones by name, requests a second to one host (0: no limit),
    the contact in the User-Agent, and whether feeds may reach private and loopback addresses."""

    values: Mapping[str, str] = field(default_factory=dict)
    rate: float = 2.0
    contact: str = ""
    allow_private_hosts: bool = False
    patience: Patience = field(default_factory=Patience)


def user_agent(contact: str) -> str:
    """`pqwatch/0.1.0 (+me@example.org)`: who asks, and whom to tell."""
    name = f"pqwatch/{version('pqwatch')}"
    return f"{name} (+{contact})" if contact else name
