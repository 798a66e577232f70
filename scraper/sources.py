"""Finds the sources: each module of `scraper.spiders` that has a NAME is one. There is no list to add a line to."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from typing import cast

from scraper import spiders
from scraper.source import ScraperError, Source
from scraper.spider import SourceSpider
from storage.records import PARLIAMENT


class UnknownSourceError(ScraperError):
    """A name that is no source."""


def all_sources() -> dict[str, Source]:
    """Every source by name; the one that speaks with authority first, the others by name."""
    modules = (
        import_module(f"{spiders.__name__}.{info.name}") for info in pkgutil.iter_modules(spiders.__path__)
    )
    found = {module.NAME: cast("Source", module) for module in modules if hasattr(module, "NAME")}
    return dict(sorted(found.items(), key=lambda item: (item[0] != PARLIAMENT, item[0])))


def source_named(name: str) -> Source:
    """The source of that name. Raises UnknownSourceError, which tells the names there are."""
    known = all_sources()
    if name not in known:
        raise UnknownSourceError(f"{name!r} is no source: expected one of {', '.join(known)}")
    return known[name]


def spider_of(source: Source) -> SourceSpider:
    """The spider that stands at the end of the source's module."""
    for value in vars(source).values():
        if isinstance(value, type) and issubclass(value, SourceSpider) and value is not SourceSpider:
            return value()
    raise ScraperError(f"the source {source.NAME} has no spider")
