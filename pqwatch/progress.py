"""Progress of a crawl: bars on a terminal, nothing elsewhere (with -v a line a minute on stderr, through the log)."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pqwatch.output import Output, duration

if TYPE_CHECKING:
    from scraper.run import Progress, Step

log = logging.getLogger(__name__)
_EVERY = 60.0  # seconds between two lines of the log


@contextmanager
def shown(out: Output) -> Iterator[Progress]:
    """What an engine tells its steps to, for as long as the block runs."""
    if out.quiet or not out.stderr.isatty():
        yield _Lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description:<20}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        TextColumn("{task.fields[pace]}"), TextColumn("{task.fields[left]}"),
    )  # fmt: skip
    with Bars(*columns, console=Console(file=out.stderr), transient=True) as progress:
        bars: dict[str, object] = {}

        def tell(step: Step) -> None:
            if step.source not in bars:
                bars[step.source] = progress.add_task(step.source, total=step.expected, pace="", left="")
            said = {"pace": pace(step), "left": left(step)}
            progress.update(bars[step.source], completed=step.done, total=step.expected, **said)  # type: ignore[arg-type]

        yield tell


def pace(step: Step) -> str:
    """`1.9/s`, as soon as something was read."""
    return f"{step.per_second:.{0 if step.per_second >= 10 else 1}f}/s" if step.done else ""


def left(step: Step) -> str:
    """`about 12 min left`, or nothing where nothing can be said yet."""
    return f"about {duration(step.seconds_left)} left" if step.seconds_left else ""


@dataclass
class _Lines:
    """A line a minute and source."""

    told: dict[str, float] = field(default_factory=dict)

    def __call__(self, step: Step) -> None:
        now = time.monotonic()
        if now - self.told.setdefault(step.source, now) >= _EVERY:
            self.told[step.source] = now
            log.info(
                "%s: %d of %d read, %s, %s",
                step.source,
                step.done,
                step.expected,
                pace(step),
                left(step) or "time left unknown",
            )
