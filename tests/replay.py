"""Walks the replay of the official API through both stored months, crawls at every step, and holds what was stored against the
truth: `python -m tests.replay` (make replay).

Expected are the kinds of the replay's own truth, folded over only those states that lay inside the windows of a pass: a state that
came and went between two looks was never there to be seen.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import parse_qs, urlsplit

from scraper.clean import clean_html, clean_text
from storage.questions import iterate
from storage.records import Record
from storage.store import open_store
from tests.shell import ALL_DAYS, forks

MONTHS = ("2024-11", "2025-09")
Value = dict[str, Any]
FIELDS = {"tabled": "dateTabled", "answered": "dateAnswered", "corrected": "dateAnswerCorrected"}
USUAL = {"tabled": 14, "answered": 14, "corrected": 120}
KINDS = {
    "corrected": "corrected",
    "answered": "answered",
    "answered-after-holding": "answered",
    "holding": "holding",
    "withdrawn": "withdrawn",
    "answer-edited": "edited",
    "question-edited": "edited",
    "transferred": "transferred",
    "regrouped": "regrouped",
    "rescheduled": "rescheduled",
    "heading-assigned": "retitled",
    "heading-changed": "retitled",
}
EVENTS = {"corrected", "answered", "holding"}
BROUGHT = {"edited", "rescheduled", "regrouped"}  # by an event, and so no further kind


class Peer:
    """The replay server."""

    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        data = json.dumps(body).encode() if body is not None else None
        with urllib.request.urlopen(f"{self.url}{path}", data, timeout=60) as response:
            return json.load(response)

    def steps(self, months: Sequence[str] = MONTHS) -> list[str]:
        return [step for step in self.ask("/_clock")["steps"] if step[:7] in months]

    def set(self, at: str) -> None:
        self.ask("/_clock", {"at": at})

    def fault(self, kind: str, **how: Any) -> None:
        self.ask("/_fault", {"kind": kind, **how})

    def requests(self) -> list[str]:
        """Paths of the requests since the last call."""
        return [each["path"] for each in self.ask("/_log?clear=1")["requests"]]

    def truth(self) -> dict[int, Value]:
        return {each["id"]: each for each in self.ask("/_truth")["results"]}


@contextmanager
def served(shared: Path) -> Iterator[Peer]:
    """The replay of the official API, on a free port."""
    tool, data = shared / "tools" / "replay_parliament.py", shared / "samples" / "parliament"
    command = [sys.executable, str(tool), "--data", str(data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        try:
            yield Peer(line.split()[-1])
        finally:
            process.terminate()


def environment(folder: Path, url: str, **more: str) -> dict[str, str]:
    """Of a child process that crawls: nothing but what is given here."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PQWATCH_")}
    ours = {
        "PQWATCH_DATA_DIR": str(folder),
        "PQWATCH_PARLIAMENT_URL": url,
        "PQWATCH_RATE": "0",
        ALL_DAYS: "1",
    }
    return {**kept, **ours, **more}


def database(folder: Path) -> str:
    return f"sqlite:///{folder / 'pqwatch.sqlite3'}"


def pqwatch(folder: Path, url: str, now: str, *args: str) -> tuple[int, str, str]:
    """One command, at the moment `now`, in a process of its own: its exit code, and what it said."""
    begun = forks().start(
        ["--now", f"{now}Z", "--database", database(folder), *args], environment(folder, url), folder
    )
    out, err = begun.communicate(timeout=600)
    return begun.wait(), out, err


def crawl(folder: Path, url: str, now: str) -> Value:
    """One pass; its report."""
    code, out, err = pqwatch(folder, url, now, "crawl", "parliament", "--json")
    assert code in (0, 1), err
    report: Value = json.loads(out)["sources"][0]
    return {**report, "said": err}


@dataclass
class Truth:
    """What a crawler could know after the passes so far."""

    tool: ModuleType
    held: dict[int, Value] = field(default_factory=dict)
    life: dict[int, list[set[str]]] = field(default_factory=dict)
    complete: dict[int, tuple[bool, bool]] = field(default_factory=dict)

    def look(self, states: Mapping[int, Value], windows: Mapping[str, set[str]]) -> None:
        for number, truth in states.items():
            value = truth["value"]
            if any((value[FIELDS[name]] or "")[:10] in days for name, days in windows.items()):
                self.see(number, value)
                self.complete[number] = truth["questionComplete"], truth["answerComplete"]

    def see(self, number: int, value: Value) -> None:
        before, self.held[number] = self.held.get(number), value
        if before is None:
            self.life[number] = first_kinds(value)
            return
        kinds = self.changes(before, value)
        if kinds:
            self.life[number].append(kinds)

    def changes(self, before: Value, value: Value) -> set[str]:
        if before == value:
            return set()
        told = [kind for kind in self.tool.kinds(before, value) if not kind.startswith("other:")]
        kinds = {KINDS[kind] for kind in told}
        if value["isWithdrawn"] and not before["isWithdrawn"]:
            kinds.add("withdrawn")
        if "corrected" in kinds and (not before["dateAnswered"] or before["answerIsHolding"]):
            kinds.add("answered")
        if (
            before["answeringMemberId"] != value["answeringMemberId"]
            or before["memberHasInterest"] != value["memberHasInterest"]
        ):
            kinds.add("edited")
        return kinds - BROUGHT if kinds & EVENTS else kinds


def first_kinds(value: Value) -> list[set[str]]:
    """Version 1 has the kind of its state; the original of a correction that the API still gives comes before it."""
    if value["isWithdrawn"]:
        return [{"withdrawn"}]
    if not value["dateAnswered"]:
        return [{"tabled"}]
    if value["answerIsHolding"]:
        return [{"holding"}]
    if not value["dateAnswerCorrected"]:
        return [{"answered"}]
    return [{"answered"}, {"corrected"}] if value["originalAnswerText"] else [{"corrected"}]


def windows_of(paths: Sequence[str]) -> dict[str, set[str]]:
    """The days that a pass read, by field, from the requests it made."""
    windows: dict[str, set[str]] = {name: set() for name in FIELDS}
    for path in paths:
        asked = parse_qs(urlsplit(path).query)
        for name, days in windows.items():
            days.update(asked.get(f"{name}WhenFrom", []))
    return windows


def missing_windows(windows: Mapping[str, set[str]], at: str) -> list[str]:
    """What a pass should have read and did not."""
    today = datetime.fromisoformat(at).date()
    return [
        f"{name}:{day}"
        for name, count in USUAL.items()
        for day in (str(today - timedelta(days=n)) for n in range(count))
        if day not in windows[name]
    ]


@dataclass
class Walk:
    """A walk through some steps, and what came of it."""

    truth: Truth
    faults: list[str] = field(default_factory=list)

    def go(self, peer: Peer, folder: Path, steps: Sequence[str], tell: bool = False) -> None:
        for step in steps:
            peer.set(step)
            peer.requests()
            report = crawl(folder, peer.url, step)
            windows = windows_of(peer.requests())
            self.truth.look(peer.truth(), windows)
            self.faults += [f"{step}: {name} was not read" for name in missing_windows(windows, step)]
            # days after the month's last snapshot are silent indeed
            said = [line for line in report["said"].splitlines() if ": silent-day: " not in line]
            self.faults += [f"{step}: {line}" for line in said]
            if tell:
                print(
                    f"{step}  {report['requests']:>5} requests {report['seconds']:>6.1f} s  {report['versions']}"
                )


def truth_tool(shared: Path) -> ModuleType:
    path = shared / "tools" / "parliament_archive.py"
    spec = importlib.util.spec_from_file_location("parliament_archive", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def stored(folder: Path) -> dict[int, Record]:
    store = open_store(database(folder))
    try:
        with store.read() as conn:
            return {record.official_id or 0: record for record in iterate(conn, versions=True)}
    finally:
        store.close()


def compare(truth: Truth, records: Mapping[int, Record]) -> list[str]:
    """Everything that differs, one line each."""
    wrong = [f"{number} is not stored" for number in truth.held.keys() - records.keys()]
    wrong += [f"{number} is stored, and was in no window" for number in records.keys() - truth.held.keys()]
    for number in truth.held.keys() & records.keys():
        wrong += _compare(number, truth, records[number])
    return wrong


def _compare(number: int, truth: Truth, record: Record) -> Iterator[str]:
    found = [{kind.value for kind in version.kinds} for version in record.versions]
    if found != truth.life[number]:
        yield f"{number}: found {_shown(found)}, expected {_shown(truth.life[number])}"
    value, (question_known, answer_known) = truth.held[number], truth.complete[number]
    if record.state.value != first_kinds(value)[-1].copy().pop():
        yield f"{number}: is {record.state.value}"
    if question_known and record.content.question_text != clean_text(value["questionText"]):
        yield f"{number}: question text differs"
    answer = clean_html(value["answerText"])[0] if value["answerText"] else None
    if answer_known and record.content.answer_text != answer:
        yield f"{number}: answer text differs"


def _shown(life: Sequence[set[str]]) -> str:
    return " ".join("+".join(sorted(kinds)) for kinds in life)


def table(truth: Truth, records: Mapping[int, Record]) -> str:
    """Kinds, found and expected."""
    expected = Counter(kind for life in truth.life.values() for kinds in life for kind in kinds)
    found = Counter(
        kind.value for record in records.values() for version in record.versions for kind in version.kinds
    )
    lines = [f"{'kind':<14}{'found':>8}{'expected':>10}"]
    lines += [f"{kind:<14}{found[kind]:>8}{expected[kind]:>10}" for kind in sorted(found | expected)]
    versions = sum(len(record.versions) for record in records.values())
    return "\n".join([*lines, f"{len(records)} questions with {versions} versions"])


def walk(
    shared: Path, folder: Path, months: Sequence[str] = MONTHS, *, most: int | None = None, tell: bool = True
) -> list[str]:
    """The whole comparison, over at most so many steps of each month; what was wrong."""
    with served(shared) as peer:
        steps = [step for month in months for step in peer.steps([month])[:most]]
        first = Walk(Truth(truth_tool(shared)))
        first.go(peer, folder, steps, tell)
        records = stored(folder)
        wrong = [*first.faults, *compare(first.truth, records)]
        if tell:
            print(table(first.truth, records))
        Walk(Truth(truth_tool(shared))).go(peer, folder, steps)
        again = stored(folder)
        added = [
            f"{number}: the second walk changed it"
            for number in again
            if _life(again[number]) != _life(records.get(number))
        ]
        if tell:
            print(f"the second walk added {len(added)} versions")
        return wrong + added


def _life(record: Record | None) -> Any:
    return record and (record.content, record.versions)


def main() -> None:
    shared = Path(os.environ.get("PQWATCH_TEST_SHARED") or Path(__file__).resolve().parents[2] / "shared")
    if not shared.exists():
        sys.exit(f"skipped: needs the shared data, and {shared.name} is absent")
    with tempfile.TemporaryDirectory() as folder:
        wrong = walk(shared, Path(folder))
    print("\n".join(wrong[:50]) or "found = expected")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
