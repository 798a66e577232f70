"""What every command shares: the Typer application, the global options, and the way to settings, store and output."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alerts.errors import AlertsError
from pqwatch.clock import Clock, parse_day, parse_time
from pqwatch.output import Output
from storage.records import PqwatchError

if TYPE_CHECKING:
    from datetime import date, datetime

    from pqwatch.settings import Settings
    from pqwatch.wiring import Wiring
    from storage.store import Store

app = typer.Typer(
    name="pqwatch",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


@dataclass
class Frame:
    """The global options of one call, and what they lead to; built on first use."""

    database: str | None = None
    clock: Clock = field(default_factory=Clock)
    verbose: int = 0
    quiet: bool = False

    @cached_property
    def settings(self) -> Settings:
        from pqwatch import settings

        overrides = {"database_url": (self.database, "--database")} if self.database is not None else {}
        return settings.load(os.environ, Path.cwd(), overrides)

    @cached_property
    def wiring(self) -> Wiring:
        from pqwatch.wiring import Wiring

        return Wiring(self.settings, self.clock)

    @contextmanager
    def store(self) -> Iterator[Store]:
        with self.wiring.store() as store:
            yield store

    def out(self, as_json: bool = False) -> Output:
        return Output(as_json=as_json, quiet=self.quiet)

    @property
    def now(self) -> datetime:
        return self.clock.now()


class WrongUsageError(PqwatchError):
    """What was typed cannot be done; exit code 2."""


@contextmanager
def as_typed() -> Iterator[None]:
    """In here alerts refuse nothing but what was typed: their errors are wrong usage."""
    try:
        yield
    except AlertsError as error:
        raise WrongUsageError(str(error)) from error


def frame(ctx: typer.Context) -> Frame:
    """The frame of this call."""
    found = ctx.find_object(Frame)
    return found if found is not None else Frame()


def day_option(value: str | None) -> date | None:
    """A `--since`-like option as a date."""
    try:
        return None if value is None else parse_day(value)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def _now_option(value: str | None) -> datetime | None:
    try:
        return None if value is None else parse_time(value)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"pqwatch {version('pqwatch')}")
        raise typer.Exit


@app.callback()
def options(
    ctx: typer.Context,
    database: Annotated[
        str | None, typer.Option(metavar="URL", help="Use this database (SQLAlchemy URL).")
    ] = None,
    now: Annotated[
        str | None, typer.Option(metavar="TIME", help="Act as if it were this moment; with an offset or Z.")
    ] = None,
    verbose: Annotated[
        int, typer.Option("-v", "--verbose", count=True, help="Say more on stderr; twice: everything.")
    ] = 0,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Say only what went wrong.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Watch UK written questions and answers, keep every version, and tell subscribers when they appear or change."""
    del version  # answered by its callback
    set_up_logs(verbose, quiet)
    ctx.obj = Frame(database=database, clock=Clock(_now_option(now)), verbose=verbose, quiet=quiet)


def set_up_logs(verbose: int, quiet: bool) -> None:
    """Logs go to stderr: warnings; with -v what happens; with -vv everything; with -q errors only."""
    level = logging.ERROR if quiet else (logging.WARNING, logging.INFO, logging.DEBUG)[min(verbose, 2)]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        logging.Formatter(
            "pqwatch: %(message)s" if not verbose else "%(asctime)s %(levelname)s %(name)s: %(message)s"
        )
    )
    for loud in (
        "scrapy",
        "twisted",
        "asyncio",
        "apscheduler",
    ):  # what they call news is news to their makers alone
        logging.getLogger(loud).setLevel(logging.NOTSET if verbose > 1 else max(level, logging.WARNING))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
