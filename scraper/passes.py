"""The end of a whole pass: what only all of its windows together can tell."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from scraper import health
from scraper.run import Run
from scraper.windows import LISTED_BY, Counts, Listing, Window
from storage.records import Problem
from storage.windows import WindowNote


def check_pass(run: Run, listing: Listing, counts: Counts, earlier: Mapping[str, WindowNote]) -> None:
    """Report what is wrong with the pass as a whole; what it does not find again of that has ended."""
    if not counts:
        return
    run.door.end_others(health.KINDS)
    run.door.end_known_bodies()
    for finding in _findings(run, counts, earlier):
        url = listing.address(run, Window(LISTED_BY, finding.day), listing.cuts[0][0], 0)
        run.door.report([Problem(source=run.name, kind=finding.kind, url=url, message=finding.message)])


def _findings(run: Run, counts: Counts, earlier: Mapping[str, WindowNote]) -> list[health.Finding]:
    found = health.check_rows(
        sum(tally.read for tally in counts.values()),
        sum(tally.refused for tally in counts.values()),
        run.today,
    )
    if not run.complete:
        return found  # what was not read says nothing of what is there
    before = {
        window.day: earlier[window.name].seen
        for window in counts
        if window.field == LISTED_BY and window.name in earlier
    }
    listed: dict[date, int] = {
        window.day: tally.seen for window, tally in counts.items() if window.field == LISTED_BY
    }
    return [*found, *health.check_days(listed, before, run.today)]
