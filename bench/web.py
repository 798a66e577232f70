"""How many pages a second the site serves and how soon, over an archive of generated questions: measured with wrk.

    python -m bench.web [--rows 200000] [--seconds 8] [--workers 2] [--keep FOLDER] [--no-datasette]

wrk is Debian's package of that name. The server is `pqwatch serve --workers N`, but without limits on visitors. Its pages of
questions and searches are kept, unless something is stored, so that both are also measured as they are at first: of thousands of
questions, and with a word to the search that is new every time. Each page of a kind is asked for in turn, of questions and words drawn at random. CPU is what the server's processes
took for a page, user and system: unlike the times it does not depend on what else runs on the machine.

Datasette, installed into a folder of its own, serves the same file beside it with as many processes as it has, one: a row of
`versions`, a table with three facets, and the same searches by its own way of asking FTS5, a query in SQL.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import venv
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote_plus

import uvicorn
from fastapi import FastAPI
from sqlalchemy import func, select
from uvicorn.supervisors import Multiprocess

from alerts.setup import Setup
from bench.questions import FIELD_WORDS, PHRASES, vocabulary
from bench.search import Archive
from pqwatch import settings
from pqwatch.clock import Clock
from pqwatch.web.app import create_app
from pqwatch.web.limits import Limiter, Limits
from pqwatch.web.site import Site
from storage.schema import questions
from storage.store import open_store

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
_SCRIPT = """
local paths = {%s}
math.randomseed(os.time())
local at, round = 0, math.random(1, 1000000000)
request = function()
  at = at %% #paths + 1; round = round + 1
  return wrk.format("GET", (paths[at]:gsub("ROUND", round)))
end
done = function(summary, latency, requests)
  io.write(string.format('\\n{"rate": %%f, "p50": %%f, "p95": %%f, "wrong": %%d, "bytes": %%f}\\n',
    summary.requests / (summary.duration / 1e6), latency:percentile(50) / 1e3, latency:percentile(95) / 1e3,
    summary.errors.status + summary.errors.timeout + summary.errors.read, summary.bytes / summary.requests))
end
"""


@dataclass(frozen=True, slots=True)
class Kind:
    """Pages of one kind, how many read them at once, and what is asked: pages a second, p95 in milliseconds."""

    name: str
    paths: Sequence[str]
    readers: int
    rate: float | None = None
    p95: float | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """What wrk says, and `cpu`: milliseconds of the server's processes a page."""

    rate: float
    p50: float
    p95: float
    wrong: int
    bytes: float
    cpu: float = 0.0


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: where it answers, and the process that it begins with."""

    address: str
    pid: int

    def cpu(self) -> float:
        """Seconds that it and its processes have taken so far, user and system."""
        return sum(_cpu(pid) for pid in _family(self.pid))


def _family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(each for child in children for each in _family(int(child)))]


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def serve(url: str, port: int, workers: int) -> None:
    """The site until it is ended; its parent is a process of its own."""
    made = functools.partial(application, url)
    config = uvicorn.Config(
        made, factory=True, host="127.0.0.1", port=port, log_level="warning", workers=workers
    )
    sock = config.bind_socket()
    if workers == 1:
        uvicorn.Server(config).run(sockets=[sock])
    else:
        Multiprocess(config, sockets=[sock]).run()


def application(url: str) -> FastAPI:
    """The site as one process has it, with no limit on visitors."""
    folder = Path(tempfile.gettempdir())
    free = Limits(searches=Limiter(10**9, 10**9))
    loaded = settings.load({}, folder)
    return create_app(Site(open_store(url), loaded, Setup(secret="s" * 32), Clock(NOW), "", free))


@contextmanager
def running(command: Sequence[str], port: int, path: str) -> Iterator[Server]:
    """A server that answers on the port, ended afterwards."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            _wait(f"http://127.0.0.1:{port}{path}", process)
            yield Server(f"http://127.0.0.1:{port}", process.pid)
        finally:
            process.terminate()


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=20).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise SystemExit(f"{url} does not answer")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def measure(server: Server, kind: Kind, seconds: int, folder: Path) -> Figure:
    """One kind of page, after some of its paths were asked for; those to be asked again often enough that each process has them."""
    asked_again = (
        [*kind.paths] * 6 if len(kind.paths) <= 200 and "ROUND" not in kind.paths[0] else kind.paths[:20]
    )
    for path in asked_again:
        urllib.request.urlopen(server.address + path.replace("ROUND", "0"), timeout=60).close()
    script = folder / "paths.lua"
    script.write_text(_SCRIPT % ",".join(json.dumps(path) for path in kind.paths))
    command = ["wrk", "-t1", f"-c{kind.readers}", f"-d{seconds}s", "-s", str(script), server.address]
    before, began = server.cpu(), time.monotonic()
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    spent, took = server.cpu() - before, time.monotonic() - began
    figure = Figure(**json.loads(said.strip().splitlines()[-1]))
    return replace(figure, cpu=spent / max(figure.rate * took, 1) * 1_000)


def kinds(url: str) -> list[Kind]:
    """The pages that are measured, drawn from what the archive holds."""
    chance, words = random.Random(5), vocabulary().words
    store = open_store(url)
    with store.read() as conn:
        held = conn.execute(select(func.max(questions.c.id))).scalar_one()
        ids = [chance.randint(1, held) for _ in range(5_000)]
        keys = list(conn.execute(select(questions.c.key).where(questions.c.id.in_(ids))).scalars())
    store.close()
    asked = [*FIELD_WORDS, *(f'"{each}"' for each in PHRASES), *chance.sample(words[200:20_000], 40)]
    found = [f"/?q={quote_plus(each)}" for each in asked]
    fresh = [f"{each}+-wROUND" for each in found]
    return [
        Kind("question, each new, 20 readers", [f"/{key}" for key in keys], 20, rate=250, p95=120),
        Kind("question, asked again, 20 readers", [f"/{key}" for key in keys[:200]], 20, rate=250, p95=120),
        Kind("question as JSON, 20 readers", [f"/api/v1/questions/{key}" for key in keys[:400]], 20),
        Kind("search with facets, new, 1 reader", fresh, 1, p95=300),
        Kind("search with facets, new, 4 readers", fresh, 4, p95=300),
        Kind("search with facets, 20 readers", found, 20, p95=300),
        Kind("first page, 20 readers", ["/"], 20),
    ]


def datasette_kinds(url: str) -> list[Kind]:
    name = Path(url.removeprefix("sqlite:///")).stem
    rows = [f"/{name}/versions/{number},1" for number in range(1, 4_000, 10)]
    faceted = [f"/{name}/searched?_facet=department&_facet=state&_facet=house&_size=20"]
    sql = (
        "select s.* from (select rowid as k from search_words where search_words match :q order by rowid desc limit 20)"
        " as w join searched as s on s.sort_key = w.k"
    )
    found = [f"/{name}?sql={quote_plus(sql)}&q={quote_plus(each)}" for each in FIELD_WORDS]
    return [
        Kind("Datasette: a row, 20 readers", rows, 20),
        Kind("Datasette: a faceted table, 1 reader", faceted, 1),
        Kind("Datasette: 20 hits, no facets, 1 reader", found, 1),
        Kind("Datasette: 20 hits, no facets, 4 readers", found, 4),
    ]


def run(url: str, seconds: int, workers: int, folder: Path) -> None:
    print(f"\n{'':42}{'pages/s':>9}{'p50 ms':>9}{'p95 ms':>9}{'CPU ms':>9}{'KB':>7}{'load':>6}   wanted")
    port = free_port()
    ours = [sys.executable, "-m", "bench.web", "--serve", url, "--port", str(port), "--workers", str(workers)]
    with running(ours, port, "/healthz") as server:
        for kind in kinds(url):
            _print(kind, measure(server, kind, seconds, folder))


def run_datasette(url: str, seconds: int, folder: Path) -> None:
    """The peer over the same file; its time limits are lifted, so that it answers in full."""
    program, port = datasette(folder), free_port()
    limits = [
        word for name in ("facet_time_limit_ms", "sql_time_limit_ms") for word in ("--setting", name, "20000")
    ]
    theirs = [str(program), "serve", "--port", str(port), *limits, url.removeprefix("sqlite:///")]
    with running(theirs, port, "/-/versions.json") as server:
        for kind in datasette_kinds(url):
            _print(kind, measure(server, kind, seconds, folder))


def datasette(folder: Path) -> Path:
    """The program, installed into a folder of its own where it is not there yet."""
    program = folder / "datasette" / "bin" / "datasette"
    if not program.exists():
        venv.create(folder / "datasette", with_pip=True)
        pip = [str(program.with_name("python")), "-m", "pip", "install", "--quiet", "datasette>=0.65,<0.66"]
        subprocess.run(pip, check=True, stderr=subprocess.DEVNULL)
    return program


def _print(kind: Kind, figure: Figure) -> None:
    wanted = [f"{kind.rate:.0f}/s"] if kind.rate else []
    wanted += [f"p95 {kind.p95:.0f} ms"] if kind.p95 else []
    wrong = f"  {figure.wrong} went wrong" if figure.wrong else ""
    row = f"{kind.name:42}{figure.rate:9.1f}{figure.p50:9.1f}{figure.p95:9.1f}{figure.cpu:9.2f}{figure.bytes / 1024:7.1f}"
    row += f"{os.getloadavg()[0]:6.1f}"
    print(f"{row}   {', '.join(wanted)}{wrong}", flush=True)


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--rows", type=int, default=200_000)
    options.add_argument("--seconds", type=int, default=8)
    options.add_argument("--keep", type=Path, help="folder for the database, used again when it is there")
    options.add_argument("--workers", type=int, default=2, help="processes of the server")
    options.add_argument("--no-datasette", action="store_true", help="do not install and measure Datasette")
    options.add_argument("--serve", metavar="URL", help=argparse.SUPPRESS)
    options.add_argument("--port", type=int, help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.serve:
        serve(chosen.serve, chosen.port, chosen.workers)
        return
    if shutil.which("wrk") is None:
        raise SystemExit("needs wrk: apt-get install wrk")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        file = (chosen.keep or folder) / "archive.sqlite3"
        url = f"sqlite:///{file}"
        if not file.exists():
            store = open_store(url)
            Archive(store, chosen.rows, vocabulary()).grow(chosen.rows)
            store.close()
        run(url, chosen.seconds, chosen.workers, folder)
        if not chosen.no_datasette:
            run_datasette(url, chosen.seconds, chosen.keep or folder)


if __name__ == "__main__":
    main()
