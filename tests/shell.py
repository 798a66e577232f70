"""A person at a shell: `pqwatch …` as child processes, quick enough for long stories.

The children are forked from one process in which everything is imported already (`python -m tests.shell`), and run what
the console script runs, in a folder and an environment of their own. An order is a line of JSON; its answer is the exit code,
or for a child that is not waited for, its process id.
"""

from __future__ import annotations

import gc
import importlib
import io
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from pqwatch.replica import Replica

PRELOADED = (
    "alembic.command", "alembic.runtime.migration", "alerts.audit", "alerts.catchup", "alerts.explain", "alerts.packs",
    "alerts.preview", "alerts.reporting", "alerts.run", "alerts.search", "pqwatch.evidence", "pqwatch.export",
    "pqwatch.progress", "pqwatch.troubles", "pqwatch.wiring", "scraper.engine", "scraper.middlewares", "scraper.reparse",
    "scrapy.core.downloader.handlers.http11", "scrapy.core.downloader.middleware", "scrapy.dupefilters", "scrapy.logformatter",
    "scrapy.downloadermiddlewares.httpcompression", "scrapy.pqueues", "scrapy.resolver", "scrapy.responsetypes",
    "scrapy.robotstxt", "scrapy.squeues", "scrapy.statscollectors", "sqlalchemy.dialects.sqlite", "storage.budgets",
)  # fmt: skip
Hook = tuple[Any, ...]
ALL_DAYS = "PQWATCH_TEST_ALL_DAYS"
"""Set where a crawl is to look for corrections as far back as it does outside of tests (`hooks.few_windows`)."""

LIMIT, LONG = 300, 900  # seconds for a command, and for one that is not waited for


@dataclass(frozen=True, slots=True)
class Done:
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Started:
    """A command that is not waited for; as much of `subprocess.Popen` as tests need."""

    def __init__(self, forked: Forks, pid: int, said: Path) -> None:
        self._forked, self.pid, self._said = forked, pid, said
        self._end = os.pidfd_open(pid)  # can be read once it has ended: nobody need be asked meanwhile
        self.returncode: int | None = None

    def poll(self, timeout: float = 0.0) -> int | None:
        if self.returncode is None and select.select([self._end], [], [], timeout)[0]:
            self.returncode = self._forked.ask({"ended": self.pid})
            os.close(self._end)
        return self.returncode

    def wait(self, timeout: float = 300) -> int:
        code = self.poll(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout)
        return code

    def communicate(self, timeout: float = 300) -> tuple[str, str]:
        """What it said on stdout and stderr, once it has ended."""
        self.wait(timeout)
        out, err = ((self._said / name).read_text(encoding="utf-8") for name in ("stdout", "stderr"))
        return out, err

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def send_signal(self, number: signal.Signals) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)


class Forks:
    """The process that every command is forked from."""

    def __init__(self) -> None:
        self._started = 0
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.shell"], cwd=Path(__file__).parents[1], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        self._said = tempfile.TemporaryDirectory(prefix="pqwatch-shell-")

    def run(
        self,
        args: list[str],
        environ: dict[str, str],
        cwd: Path,
        hooks: Sequence[Hook] = (),
        *,
        module: str = "",
        stdin: str = "",
    ) -> Done:
        """`pqwatch` with these arguments, or `python -m module`."""
        said = Path(self._said.name)
        code = self.ask(_order(args, environ, cwd, said, hooks=hooks, module=module, stdin=stdin))
        out, err = ((said / name).read_text(encoding="utf-8") for name in ("stdout", "stderr"))
        return Done(code, out, err)

    def start(
        self, args: list[str], environ: dict[str, str], cwd: Path, *, module: str = "", stdin: str = ""
    ) -> Started:
        """The same, not waited for. It must be, once it has been killed: a zombie passes for alive."""
        self._started += 1
        said = Path(self._said.name) / str(self._started)
        said.mkdir()
        pid = self.ask(_order(args, environ, cwd, said, module=module, stdin=stdin) | {"wait": False})
        return Started(self, pid, said)

    def ask(self, order: dict[str, Any]) -> int:
        """Have the process do something: the number that it answers with."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(LIMIT)
        self._said.cleanup()


def _order(args: list[str], environ: dict[str, str], cwd: Path, said: Path, **how: Any) -> dict[str, Any]:
    return {
        "args": args,
        "environ": environ,
        "cwd": str(cwd),
        "said": str(said),
        "hooks": [],
        "wait": True,
        **how,
    }


@cache
def forks() -> Forks:
    """The one of this test process: `tests.conftest` ends it."""
    return Forks()


class Shell:
    """Commands in one folder, over one database, against one replica. `at` is put before each as `--now`."""

    def __init__(self, forked: Forks, folder: Path, replica: Replica | None = None, **environ: str) -> None:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("PQWATCH_")}
        own = {
            "XDG_CONFIG_HOME": str(folder / "config"),
            "PQWATCH_DATABASE_URL": f"sqlite:///{folder / 'pqwatch.sqlite3'}",
            "PQWATCH_DATA_DIR": str(folder / "data"),
            "PQWATCH_SOURCES": "parliament",
            "COLUMNS": "200",
        }
        self.folder, self.replica, self._forked, self._at = folder, replica, forked, ""
        self.hooks: list[Hook] = []
        self.environ = clean | own | (replica.settings() if replica else {}) | environ

    @property
    def url(self) -> str:
        return self.environ["PQWATCH_DATABASE_URL"]

    @property
    def now(self) -> str:
        return self._at

    def at(self, moment: str) -> Shell:
        """Moves the clocks: that of every command from here on, and that of the replica."""
        self._at = moment
        if self.replica is not None:
            self.replica.set_clock(moment)
        return self

    def __call__(self, *args: str, **environ: str) -> Done:
        timed = ["--now", self._at, *args] if self._at else list(args)
        return self._forked.run(timed, self.environ | environ, self.folder, self.hooks)

    @contextmanager
    def after(self, *hooks: Hook) -> Iterator[None]:
        """In here something is done to each command before it runs: functions of `tests.hooks`, with their arguments."""
        before, self.hooks = self.hooks, [*self.hooks, *hooks]
        try:
            yield
        finally:
            self.hooks = before

    def well(self, *args: str, code: int = 0) -> str:
        """What a command prints that ends as it should."""
        done = self(*args)
        assert done.code == code, (args, done)
        return done.out

    def json(self, *args: str, code: int = 0) -> Any:
        return json.loads(self.well(*args, "--json", code=code))

    @contextmanager
    def web(self) -> Iterator[TestClient]:
        """A visitor to the pages that `pqwatch serve` would serve here and now."""
        from pqwatch import settings
        from pqwatch.clock import Clock, parse_time
        from pqwatch.web.app import create_app
        from pqwatch.web.site import Site
        from pqwatch.wiring import Wiring

        wiring = Wiring(settings.load(self.environ, self.folder), Clock(parse_time(self._at)))
        with wiring.store() as store:
            site = Site(store, wiring.settings, wiring.setup(store), wiring.clock)
            yield TestClient(create_app(site), base_url=wiring.settings.public_url)


def _serve() -> None:
    """Fork a child for each order, and answer with how it ended."""
    from pqwatch.cli import entry

    entry.find_commands()
    for name in PRELOADED:
        importlib.import_module(name)
    _read_once()
    assert "twisted.internet.reactor" not in sys.modules, (
        "a reactor that was made before the fork is no good after it"
    )
    gc.collect()
    gc.freeze()  # else the first collection in each child copies every page of what was imported
    for line in sys.stdin:
        sys.stdout.write(f"{_answer(json.loads(line))}\n")
        sys.stdout.flush()


def _read_once() -> None:
    """What every command reads, the same each time, and then keeps: sources, channels and topic packs."""
    from alerts.channel import channels
    from alerts.packs import all_packs
    from pqwatch.settings import declared

    declared()
    channels()
    all_packs()


def _answer(order: dict[str, Any]) -> int:
    if "ended" in order:
        return os.waitstatus_to_exitcode(os.waitpid(order["ended"], 0)[1])
    pid = os.fork()
    if pid == 0:
        _become(order)
    if not order["wait"]:
        return pid
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _become(order: dict[str, Any]) -> None:
    """Be the console script, and end as it does."""
    from pqwatch.cli import entry
    from tests import hooks

    code = 70
    try:
        signal.alarm(LIMIT if order["wait"] else LONG)
        os.environ.clear()
        os.environ.update(order["environ"])
        os.chdir(order["cwd"])
        said = Path(order["said"])
        for number, name in ((0, os.devnull), (1, said / "stdout"), (2, said / "stderr")):
            opened = os.open(
                name, os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600
            )
            os.dup2(opened, number)
        if ALL_DAYS not in os.environ:
            hooks.few_windows()
        for name, *values in order["hooks"]:
            getattr(hooks, name)(*values)
        sys.stdin = io.StringIO(order["stdin"])
        if order["module"]:
            importlib.import_module(order["module"]).main()
            code = 0
        else:
            code = entry.run(order["args"])
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:  # noqa: BLE001 - told as Python would tell it; the child ends below
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(code)


if __name__ == "__main__":
    _serve()
