"""What the command line prints: one JSON document, or tables and lines for people. Data to stdout, the rest to stderr."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO
from zoneinfo import ZoneInfo

from pqwatch.clock import LONDON, as_z

if TYPE_CHECKING:
    from rich.console import Console

PIPE_WIDTH = 160  # columns where there is no terminal and COLUMNS is not set
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


class ReaderGoneError(Exception):
    """Whoever read our output has closed it (`pqwatch export | head`): stop, quietly."""


def harmless(text: str) -> str:
    """The text without characters that a terminal would obey: what a source wrote must not steer one."""
    return _CONTROLS.sub("", text)


@dataclass(frozen=True, slots=True)
class Output:
    """Where a command puts its result. `as_json`: one JSON document and nothing else on stdout."""

    as_json: bool = False
    quiet: bool = False
    stdout: TextIO = field(default_factory=lambda: sys.stdout)
    stderr: TextIO = field(default_factory=lambda: sys.stderr)

    def json(self, document: Any) -> None:
        import orjson

        text = orjson.dumps(document, default=_plain, option=orjson.OPT_INDENT_2).decode()
        self._write(text + "\n")

    def line(self, text: str = "") -> None:
        self._write(harmless(text) + "\n")

    def raw(self, text: str) -> None:
        """Text for another program, unchanged, such as a line of an export."""
        self._write(text)

    def note(self, text: str) -> None:
        """A word to the person at the keyboard, on stderr; not with -q."""
        if not self.quiet:
            self.stderr.write(harmless(text) + "\n")
            self.stderr.flush()

    def table(
        self, columns: Sequence[str], rows: Iterable[Sequence[object]], *, whole: Sequence[str] = ()
    ) -> None:
        """A table as wide as the terminal; columns in `whole` are never shortened or folded."""
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False, padding=(0, 2, 0, 0))
        for name in columns:
            table.add_column(Text(name), no_wrap=name in whole, overflow="fold")
        for row in rows:
            table.add_row(*(Text(harmless(_cell(value))) for value in row))
        self.rich(table)

    def rich(self, renderable: Any) -> None:
        """Anything of rich's, with colour on a terminal only."""
        with self._guarded():
            self.console().print(renderable)
            self.stdout.flush()

    def console(self) -> Console:
        from rich.console import Console

        return Console(file=self.stdout, highlight=False, markup=False, emoji=False, width=self.width())

    def width(self) -> int | None:
        """Columns to use: the terminal's own (None), those of COLUMNS, or plenty for a pipe."""
        if self.stdout.isatty():
            return None
        columns = os.environ.get("COLUMNS", "")
        return max(40, int(columns)) if columns.isdigit() else PIPE_WIDTH

    def _write(self, text: str) -> None:
        with self._guarded():
            self.stdout.write(text)
            self.stdout.flush()

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError as error:
            raise ReaderGoneError from error


def _plain(value: object) -> object:
    """What orjson does not know. Times end in Z without fractions of a second."""
    if isinstance(value, datetime):
        return as_z(value)
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, tuple | frozenset | set):
        return list(value)
    raise TypeError(f"no JSON form for {type(value).__name__}")


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return local(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return ", ".join(str(item) for item in value) or "-"
    return str(value)


def local(moment: datetime | None, zone: ZoneInfo = LONDON) -> str:
    """A time for people, in their zone: `2 Mar 2026 09:05`."""
    if moment is None:
        return "-"
    there = moment.astimezone(zone)
    return f"{there.day} {there:%b %Y %H:%M}"


def duration(seconds: float) -> str:
    """`45 s`, `3 min`, `2 h 10 min`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
