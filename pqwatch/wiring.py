"""The one place that builds objects out of settings: store, archive, what alerting needs, what a crawl needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pqwatch.checks import is_loopback
from pqwatch.clock import Clock
from pqwatch.settings import Settings, SettingsError

if TYPE_CHECKING:
    from alerts.setup import Setup
    from alerts.subscriptions import Estimate
    from alerts.tree import Query
    from scraper.archive import Archive
    from scraper.engine import Engine
    from scraper.run import Progress
    from scraper.settings import CrawlSettings
    from scraper.source import Source
    from storage.store import Store


@dataclass(frozen=True, slots=True)
class Wiring:
    """Builds on demand; nothing is opened before it is asked for."""

    settings: Settings
    clock: Clock

    @contextmanager
    def store(self) -> Iterator[Store]:
        """The database, created or migrated where needed, closed at the end. Raises StorageError."""
        from storage.store import open_store

        self._make_default_folder()
        with closing(open_store(self.settings.database_url)) as store:
            yield store

    def _make_default_folder(self) -> None:
        """The data folder is ours to make; a folder that somebody named for a database is not."""
        path = Path(self.settings.database_url.removeprefix("sqlite:///"))
        if self.settings.database_url.startswith("sqlite:///") and path.parent == self.settings.data_dir:
            self.make_data_folder()

    def make_data_folder(self) -> Path:
        """The data folder, which now exists. Raises SettingsError."""
        try:
            self.settings.data_dir.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SettingsError(
                f"PQWATCH_DATA_DIR is {str(self.settings.data_dir)!r}: cannot be made: {error.strerror}"
            ) from error
        return self.settings.data_dir

    @contextmanager
    def archive(self) -> Iterator[Archive]:
        """The archive of responses, in the data folder."""
        from scraper.archive import Archive

        with closing(Archive(self.make_data_folder() / "archive")) as archive:
            yield archive

    def setup(self, store: Store) -> Setup:
        """What alerting needs to know."""
        from alerts.setup import Setup
        from storage import meta

        of = self.settings
        return Setup(
            secret=of.secret or meta.secret(store),
            smtp_url=of.smtp_url,
            mail_from=of.mail_from,
            public_url=of.public_url,
            zone=of.timezone,
            allow_private_hosts=of.allow_private_hosts,
            contact=of.contact,
            topics=self.topics(),
            retention_days=of.retention_days,
            sources=of.sources,
        )

    def sources(self, names: Sequence[str]) -> list[Source]:
        """The named sources, or those that are enabled. Raises ScraperError (a name that is none), SettingsError."""
        from scraper.sources import source_named

        found = [source_named(name) for name in (names or self.settings.sources)]
        if self.settings.rate == 0:
            for source in found:
                self._refuse_unlimited(source)
        return found

    def _refuse_unlimited(self, source: Source) -> None:
        from scraper.source import addresses_asked

        for address in addresses_asked(source, self.settings.source_values):
            if not is_loopback(address):
                raise SettingsError(
                    f"PQWATCH_RATE is '0': no limit is for loopback addresses only, and {source.NAME} asks {address}"
                )

    def engine(self, store: Store, archive: Archive, progress: Progress | None = None) -> Engine:
        """What crawls, rechecks and backfills. Loads Scrapy."""
        from scraper.engine import Engine

        return Engine(store, archive, self.crawl_settings(), self.clock.now, progress)

    def crawl_settings(self) -> CrawlSettings:
        """What a crawl needs: values of the sources' own settings, rate, contact, and what it may reach."""
        from scraper.settings import CrawlSettings

        return CrawlSettings(
            values=self.settings.source_values,
            rate=self.settings.rate,
            contact=self.settings.contact,
            allow_private_hosts=self.settings.allow_private_hosts,
        )

    def estimate(self, store: Store, setup: Setup) -> Estimate:
        """How many items a day a new subscription would have sent, from what is held."""
        from alerts.preview import estimate

        def items_a_day(query: Query, on: frozenset[str]) -> float:
            with store.read() as conn:
                return estimate(conn, query, on, setup, now=self.clock.now())

        return items_a_day

    def topics(self) -> Mapping[str, Query]:
        """The topic packs by name."""
        from alerts.packs import packs

        return packs()
