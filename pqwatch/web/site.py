"""What every page is made from: the store, the settings, the clock. One object for one application, in `app.state`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy import Connection

from alerts.setup import Setup
from pqwatch.clock import Clock
from pqwatch.settings import Settings
from pqwatch.web.kept import Kept, Pages
from pqwatch.web.limits import Limits
from storage.store import Store


@dataclass(frozen=True, slots=True)
class Site:
    """Reads see one moment of the database; between requests only what `kept` and `pages` hold is kept."""

    store: Store
    settings: Settings
    setup: Setup
    clock: Clock
    admin_token: str = ""
    limits: Limits = field(default_factory=Limits)
    kept: Kept = field(default_factory=Kept)
    pages: Pages = field(default_factory=Pages)

    @property
    def now(self) -> datetime:
        return self.clock.now()

    @property
    def today(self) -> date:
        return self.clock.today()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        with self.store.read() as conn:
            yield conn


def site_of(request: Request) -> Site:
    """The site that a request is for."""
    site: Site = request.app.state.site
    return site


OfSite = Annotated[Site, Depends(site_of)]
