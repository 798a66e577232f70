"""`pqwatch demo`: the whole main job against the bundled replica, told so that a newcomer sees the point in one screen.

Works in a folder of its own: database, archive, messages and a `pqwatch.toml` that points at them, so that everything can be
looked at afterwards. Crawls run as the real command in child processes, one for each morning of the invented fortnight.
"""

from __future__ import annotations

import io
import os
import shutil
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from pqwatch import forked
from pqwatch import settings as all_settings
from pqwatch.clock import Clock
from pqwatch.output import Output
from pqwatch.replica import Replica, serve
from pqwatch.settings import PREFIX
from pqwatch.wiring import Wiring
from storage.records import PqwatchError, Record
from storage.store import Store

STAR = "commons/2026-03-02/117201"
MARK = ".made-by-pqwatch-demo"
LIMIT = 120  # seconds for one crawl
MOST_ALERTS = 4  # told of one morning
MORNINGS = (
    ("2026-03-03T08:00Z", "crawl"),
    ("2026-03-05T08:00Z", "crawl"),
    ("2026-03-06T08:00Z", "crawl"),
    ("2026-03-09T08:00Z", "crawl", "recheck"),
    ("2026-03-12T08:00Z", "crawl"),
    ("2026-03-14T08:00Z", "crawl"),
)
WHATEVER = ("answered", "corrected", "edited", "withdrawn", "published", "holding", "transferred", "overdue")


class DemoError(PqwatchError):
    """The demo cannot begin, or something in it did not go as it should."""


@dataclass
class Stage:
    """What the demo works with."""

    folder: Path
    replica: Replica
    out: Output
    store: Store
    wiring: Wiring
    environ: dict[str, str]
    told: int = 0  # the newest row of the ledger that was told of

    def at(self, now: datetime) -> Wiring:
        return Wiring(self.wiring.settings, Clock(now))


def run(folder: Path, out: Output) -> int:
    """The demo in `folder`. Ends by itself; 0 when all went as it should."""
    folder = folder.resolve()
    _empty(folder)
    with serve(at=MORNINGS[0][0]) as replica:
        environ = _environ(folder, replica)
        settings = all_settings.load(environ, folder)
        wiring = Wiring(settings, Clock())
        with wiring.store() as store:
            stage = Stage(folder, replica, out, store, wiring, environ)
            _tell(stage)
    return 0


def _empty(folder: Path) -> None:
    """A fresh folder. One that is not ours is left alone. Raises DemoError."""
    if folder.exists() and not (folder / MARK).exists() and any(folder.iterdir()):
        raise DemoError(f"{folder} is not empty and not from a demo: name another one with --folder")
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "messages").mkdir(parents=True)
    (folder / MARK).write_text("`pqwatch demo` empties this folder when it runs again.\n")
    database = f'database_url = "sqlite:///{folder / "pqwatch.sqlite3"}"\n'
    (folder / all_settings.FILE).write_text(f'{database}data_dir = "{folder}"\n')


def _environ(folder: Path, replica: Replica) -> dict[str, str]:
    """The surroundings of every command of the demo: none of the user's own settings, all sources at the replica."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    ours = {"XDG_CONFIG_HOME": str(folder), "PQWATCH_LANGUAGES": "en,cy"}
    return clean | replica.settings() | ours


def _tell(stage: Stage) -> None:
    out = stage.out
    out.line(
        "pqwatch watches written questions and answers. This is an invented fortnight of March 2026, served on this"
    )
    out.line(
        f"machine as the real sources would serve it ({stage.replica.url}): nothing here is real, nothing leaves it.\n"
    )
    _subscribe(stage)
    for at, *commands in MORNINGS:
        _morning(stage, at, commands)
    _life(stage)
    _where(stage)


def _subscribe(stage: Stage) -> None:
    """Two readers with queries, whose messages become files, and one who follows a single question."""
    from alerts.subscriptions import Request, subscribe
    from pqwatch.clock import parse_time

    messages = f"file://{stage.folder / 'messages'}"
    requests = [
        Request(
            query="cocaine OR heroin OR opioid* OR naloxone", to=messages, name="drugs desk", confirmed=True
        ),
        Request(
            query='"county lines" OR "organised crime"',
            to=messages,
            on=WHATEVER,
            name="crime desk",
            confirmed=True,
        ),
        Request(query=STAR, to="stdout:", on=["corrected"], name="one question", confirmed=True),
    ]
    setup = stage.wiring.setup(stage.store)
    for request in requests:
        made = subscribe(stage.store, request, setup=setup, now=parse_time(MORNINGS[0][0]))
        stage.out.line(
            f"  subscribe {made.name:<13} {request.query:<42} hears of {', '.join(made.on[:3])}{'…' if len(made.on) > 3 else ''}"
        )


def _morning(stage: Stage, at: str, commands: Sequence[str]) -> None:
    """Move the replica's clock, crawl, send what is due, and tell of it."""
    from pqwatch.clock import parse_time

    now = parse_time(at)
    stage.replica.set_clock(at)
    stage.out.line(f"\n{now:%A} {now.day} {now:%B}, {now:%H:%M}")
    for command in commands:
        _say_crawl(stage, command, _crawl(stage, at, command))
    _alerts(stage, now)


def _crawl(stage: Stage, at: str, command: str) -> list[dict[str, Any]]:
    """`pqwatch --now AT crawl --json` in a process of its own: its report."""
    args = ["--now", at, command, "--json"]
    try:
        done = forked.run(args, environ=stage.environ, cwd=stage.folder, limit=LIMIT)
    except TimeoutError as error:
        raise DemoError(f"the {command} of {at} took {error}") from error
    if done.code != 0:
        raise DemoError(f"the {command} of {at} ended with {done.code}: {done.err.strip()}")
    sources: list[dict[str, Any]] = orjson.loads(done.out)["sources"]
    return sources


def _say_crawl(stage: Stage, command: str, sources: Sequence[dict[str, Any]]) -> None:
    parts = []
    for source in sources:
        kinds = ", ".join(f"{count} {kind}" for kind, count in source["versions"].items())
        if kinds or source["seen"]:
            parts.append(f"{source['source']} {kinds or str(source['seen']) + ' seen, nothing new'}")
    stage.out.line(f"  {command:<8} {'; '.join(parts) or 'nothing new'}")


def _alerts(stage: Stage, now: datetime) -> None:
    """`alerts run`, and each new line of the ledger: what happened, to which question, and which words matched."""
    from alerts.reporting import deliveries_shape
    from alerts.run import run as run_alerts
    from storage import ledger

    setup = stage.wiring.setup(stage.store)
    said = io.StringIO()
    with redirect_stdout(said):  # where the channel stdout: writes
        report = run_alerts(stage.store, now=now, settings=setup)
    if not report.ok:
        raise DemoError(f"alerts did not all go out: {report}")
    with stage.store.read() as conn:
        rows = [row for row in reversed(ledger.listed(conn)) if row.id > stage.told]
        shown = deliveries_shape(conn, rows, setup)
        headings = {item["key"]: _heading(conn, item["key"]) for item in shown}
    stage.told = max([stage.told, *(row.id for row in rows)])
    for item in shown[:MOST_ALERTS]:
        _say_alert(stage.out, item, headings[item["key"]])
    if len(shown) > MOST_ALERTS:
        stage.out.line(f"           and {len(shown) - MOST_ALERTS} more")
    _quote(stage.out, said.getvalue())


def _quote(out: Output, message: str) -> None:
    """A message as its reader gets it, without the whole texts and its foot."""
    lines = [line for line in message.partition("-" * 40)[0].splitlines() if line.strip()]
    if not lines:
        return
    out.line("  stdout   what the reader of “one question” gets:")
    whole = False  # in the texts that are the same as before
    for line in lines[1:]:
        whole = line == "Question" or (whole and not line.startswith("Page: "))
        if not whole:
            out.line(f"    | {line}")


def _heading(conn: Any, key: str) -> str:
    from storage import questions

    record = questions.find(conn, key)
    return (record.content.heading if record is not None else None) or key


def _say_alert(out: Output, item: dict[str, Any], heading: str) -> None:
    words = list(dict.fromkeys(match["text"].lower() for match in item["matched"]))
    why = f"matched “{'”, “'.join(words[:3])}”" if words else "the question it follows"
    out.line(f"  alert    {item['kind'].upper()}: {heading} → {item['subscription']['name']} ({why})")


def _life(stage: Stage) -> None:
    """One question as it is held: where it was seen, its versions, and what the correction changed."""
    from storage import questions

    with stage.store.read() as conn:
        record = questions.find(conn, STAR, versions=True)
        held = sum(1 for _ in questions.iterate(conn))
    if record is None:
        raise DemoError(f"{STAR} was not stored")
    out = stage.out
    out.line(f"\n{held} questions and posts are stored, each once. One of them, {STAR}:")
    places = Counter(seen.source for seen in record.sources)
    shown = (
        f"{source} ({count} addresses)" if count > 1 else source for source, count in sorted(places.items())
    )
    out.line(f"  seen at  {', '.join(shown)}")
    out.line(f"  life     {' → '.join(f'{v.kind} {v.observed_at:%-d %b}' for v in record.versions)}")
    out.line(f"  diff     {_corrected_words(record)}")


def _corrected_words(record: Record) -> str:
    """What the minister's correction changed, in words."""
    from storage.diff import as_text, words

    before, after = record.versions[-2].content, record.versions[-1].content
    marked = as_text(words(before.answer_text, after.answer_text))
    return " ".join(marked.split())


def _where(stage: Stage) -> None:
    from pqwatch.cli.frame import app

    out, folder = stage.out, stage.folder
    count = len(list((folder / "messages").glob("*.eml")))
    command = Path(sys.argv[0]).resolve() if Path(sys.argv[0]).name == "pqwatch" else "pqwatch"
    out.line(f"\n{count} messages are in {folder / 'messages'} (open one in a mail program).")
    out.line(f"Look around:  cd {folder}")
    out.line(f"              {command} show {STAR}")
    out.line(f"              {command} deliveries")
    if any(
        each.name == "serve" or (each.callback and each.callback.__name__ == "serve")
        for each in app.registered_commands
    ):
        out.line(f"              {command} serve        # the web page: http://127.0.0.1:8000")
