"""The command line as people and scripts meet it: exit codes, shapes, silence, one line for a mistake."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from pqwatch import progress
from pqwatch.cli import entry as cli
from pqwatch.cli.crawl import complain
from pqwatch.output import Output
from pqwatch.replica import serve
from scraper.run import Run, Step
from scraper.settings import CrawlSettings
from storage import locks, meta, problems, search_index
from storage.records import Problem
from storage.store import open_store
from tests.shell import forks

STAR = "commons/2026-03-02/117201"


class Desk:
    """A person at a shell of their own: a folder, an environment, the replica as all the sources there are."""

    def __init__(self, folder: Path, replica=None, **environ):
        self.folder, self.replica = folder, replica
        clean = {name: value for name, value in os.environ.items() if not name.startswith("PQWATCH_")}
        own = {
            "XDG_CONFIG_HOME": str(folder / "config"),
            "XDG_DATA_HOME": str(folder / "data"),
            "PQWATCH_SOURCES": "parliament",
        }
        self.environ = clean | own | (replica.settings() if replica else {}) | environ

    @property
    def url(self):
        return f"sqlite:///{self.folder / 'data' / 'pqwatch' / 'pqwatch.sqlite3'}"

    def __call__(self, *args, **environ):
        done = forks().run(list(args), self.environ | environ, self.folder)
        return subprocess.CompletedProcess(args, done.code, done.out, done.err)

    def json(self, *args):
        done = self(*args, "--json")
        assert done.returncode in (0, 1), done.stderr
        return json.loads(done.stdout)


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """Three mornings of the replica, crawled, with one reader."""
    folder = tmp_path_factory.mktemp("watched")
    with serve(at="2026-03-03T08:00Z") as replica:
        at = Desk(folder, replica)
        mail = f"file://{folder / 'messages'}"
        (folder / "messages").mkdir()
        at.subscribed = at.json(
            "--now",
            "2026-03-03T07:00Z",
            "subscribe",
            "cocaine",
            "--to",
            mail,
            "--name",
            "desk",
            "--on",
            "answered,corrected",
        )
        at.crawls = []
        for moment in ("2026-03-03T08:00Z", "2026-03-05T08:00Z", "2026-03-12T08:00Z"):
            replica.set_clock(moment)
            at.crawls.append(at("--now", moment, "crawl", "parliament"))
        yield at


def test_help_names_every_command_and_loads_nothing_heavy(desk):
    shown = desk("--help")
    assert shown.returncode == 0
    for name in (
        "crawl",
        "status",
        "settings",
        "show",
        "diff",
        "subscribe",
        "alerts",
        "deliveries",
        "watch",
        "replica",
        "demo",
    ):
        assert name in shown.stdout
    code = (
        "import sys; from pqwatch.cli.entry import find_commands; find_commands(); print(sorted(sys.modules))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    for heavy in (
        "scrapy",
        "twisted",
        "sqlalchemy",
        "alembic",
        "lxml",
        "bs4",
        "lark",
        "fastapi",
        "apprise",
        "apscheduler",
    ):
        assert f"'{heavy}'" not in loaded, heavy


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["nothing"], "No such command 'nothing'"),
        (["status", "--wrong"], "No such option: --wrong"),
        (["search", "-cannabis x"], "a query that begins with - comes after --"),
        (["show"], "Missing argument 'KEY'"),
        (["show", "906096"], "no question key"),
        (["--now", "2026-03-02T09:00", "status"], "has no zone"),
        (["--now", "soon", "status"], "is no time"),
        (["--database", "mysql://x", "status"], "expected a SQLAlchemy URL"),
        (["crawl", "--since", "yesterday"], "is no date"),
        (["crawl", "--since", "2026-13-01"], "'2026-13-01' is no date: month must be"),
        (["--now", "2026-03-02T25:00Z", "status"], "'2026-03-02T25:00Z' is no time: hour must be"),
        (["crawl", "--since", "2026-03-05", "--until", "2026-03-02"], "is after"),
        (["--now", "2026-03-05T09:00Z", "crawl", "--since", "2026-03-06"], "is after today, 2026-03-05"),
        (["subscribe", "cocaine NEAR/10", "--to", "stdout:"], "column"),
        (["subscribe", "cocaine"], "--to"),
        (["subscriptions", "import", "absent.toml"], "cannot be read"),
        (["export", "--format", "xml", "--out", "-"], "xml"),
    ],
)
def test_wrong_usage_is_exit_2_and_one_line(desk, args, said):
    done = desk(*args)
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("pqwatch: ")


def test_wrong_settings_are_exit_2(desk):
    done = desk("status", PQWATCH_RAET="1")
    assert (done.returncode, done.stderr) == (
        2,
        "pqwatch: unknown variable PQWATCH_RAET (value '1'); did you mean PQWATCH_RATE?\n",
    )
    done = desk("crawl", PQWATCH_RATE="0")
    assert done.returncode == 2
    assert "loopback" in done.stderr


def test_an_unknown_source_is_named(desk):
    done = desk("crawl", "hansard")
    assert done.returncode == 2
    assert "hansard" in done.stderr
    assert "parliament" in done.stderr


def test_settings_mask_secrets(desk):
    shown = desk.json("settings")
    assert shown["total"] == len(shown["items"])
    masked = json.loads(
        desk("settings", "--json", PQWATCH_SMTP_URL="smtp://u:geheim@h:25", PQWATCH_SECRET="geheim").stdout
    )
    assert "geheim" not in json.dumps(masked)
    origins = {item["name"]: item["origin"] for item in masked["items"]}
    assert origins["PQWATCH_SMTP_URL"] == "PQWATCH_SMTP_URL"
    assert origins["PQWATCH_RATE"] == "default"


def test_a_source_never_crawled_is_no_fault(desk):
    told = desk.json("status")
    assert told["ok"] is True
    assert [source["source"] for source in told["sources"]] == [
        "parliament",
        "theyworkforyou",
        "parallelparliament",
        "feeds",
    ]
    assert [source["enabled"] for source in told["sources"]] == [True, False, False, False]


def test_a_question_not_held_is_one_line(desk):
    done = desk("show", STAR)
    assert (done.returncode, done.stderr) == (1, f"pqwatch: {STAR} is not held here\n")


def test_a_crawl_is_quiet_when_all_is_well(watched):
    assert [(done.returncode, done.stdout, done.stderr) for done in watched.crawls] == [(0, "", "")] * 3


def test_crawl_tells_its_figures_as_json(watched):
    told = watched.json("--now", "2026-03-12T08:00Z", "crawl")
    (source,) = told["sources"]
    assert source.keys() == {"source", "requests", "seen", "new", "versions", "problems", "seconds"}
    assert source["new"] == 0
    assert source["versions"] == {}


def test_status_after_crawls(watched):
    told = watched.json("--now", "2026-03-12T09:00Z", "status")
    source = told["sources"][0]
    assert told["ok"] is True
    assert source["last_success"] == "2026-03-12T08:00:00Z"
    assert source["held"] > 20
    assert source["newest"] == "2026-03-11"
    late = watched("--now", "2026-03-20T09:00Z", "status")
    assert late.returncode == 1
    assert "no success for 8 days" in late.stdout


def test_show_and_diff(watched):
    shown = watched.json("show", STAR)
    assert [version["kind"] for version in shown["versions"]] == ["tabled", "answered", "corrected"]
    assert shown["versions"][2]["observed_at"] == "2026-03-12T08:00:00Z"
    changes = watched.json("diff", STAR)
    assert (changes["from"], changes["to"]) == (2, 3)
    assert {"field": "answer_text", "op": "replace", "before": "16,920", "after": "19,620"} in [
        {name: text.strip() if text else text for name, text in change.items()}
        for change in changes["changes"]
    ]
    for people in (watched("show", STAR), watched("diff", STAR, "1", "3")):
        assert people.returncode == 0
        assert "\x1b" not in people.stdout
        assert "19,620" in people.stdout
    assert watched("diff", STAR, "1", "9").returncode == 1


def test_export_is_a_line_a_question(watched):
    done = watched("export", "--format", "jsonl", "--versions", "--out", "-")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(lines) == watched.json("--now", "2026-03-12T09:00Z", "status")["sources"][0]["held"]
    assert any(line["key"] == STAR and len(line["versions"]) == 3 for line in lines)


def test_export_of_a_query_and_of_what_is_new(watched):
    def keys(*args):
        return {json.loads(line)["key"] for line in watched("export", *args).stdout.splitlines()}

    first = keys("cocaine", "--since-last", "nightly")
    assert STAR in first
    assert keys("cocaine", "--since-last", "nightly") == set()
    assert keys("cocaine", "--since-last", "weekly") == first
    assert watched("export", "cocaine NEAR/10").returncode == 2


def test_coverage_counts_by_day(watched):
    told = watched.json(
        "--now", "2026-03-12T09:00Z", "coverage", "parliament", "--from", "2026-03-02", "--to", "2026-03-03"
    )
    assert [(day["date"], day["held"], day["expected"], day["missing"]) for day in told["days"]] == [
        ("2026-03-02", 7, 7, []),
        ("2026-03-03", 6, 6, []),
    ]


def test_reparse_finds_nothing_new_where_no_parser_was_mended(watched):
    done = watched("--now", "2026-03-12T10:00Z", "reparse")
    assert (done.returncode, done.stderr) == (0, "")
    assert [v["kind"] for v in watched.json("show", STAR)["versions"]] == ["tabled", "answered", "corrected"]


def test_pages_that_a_person_saved(tmp_path):
    with serve(at="2026-03-10T08:00Z") as replica:
        at = Desk(tmp_path, replica)
        addresses = {
            "117201-cocaine-seizures.html": "question/117201/cocaine-seizures",
            "list.html": "dept/home-office/writtenanswers",
        }
        folder = tmp_path / "saved"
        folder.mkdir()
        for name, address in addresses.items():
            with urllib.request.urlopen(f"{replica.url}/{address}") as page:
                note = f"<!-- saved from url=(0040){replica.url}/{address} -->"
                (folder / name).write_text(note + page.read().decode())
    (folder / "1-a-challenge.html").write_text("<html><head><title>Just a moment...</title></head></html>")
    (folder / "notes.html").write_text("<p>to do</p>")
    (folder / "picture.png").write_bytes(b"png")
    done = at(
        "--now", "2026-03-10T08:00Z", "crawl", "parallelparliament", "--from-file", str(folder), "--json"
    )
    assert done.returncode == 1
    assert all(name in done.stderr for name in ("notes.html", "1-a-challenge.html", "'list.html' lists"))
    assert json.loads(done.stdout)["sources"][0]["new"] == 1
    shown = at.json("show", STAR)
    assert shown["provisional"]
    assert shown["sources"][0]["source"] == "parallelparliament"
    assert at("crawl", "parallelparliament", "--from-file", str(tmp_path)).returncode == 1
    assert at("crawl", "--from-file", str(folder)).returncode == 2
    assert at("crawl", "parallelparliament", "--from-file", str(folder / "none")).returncode == 2


def test_subscribe_has_the_shape_of_the_interface(watched):
    expected = {
        "id",
        "name",
        "query",
        "to",
        "on",
        "every",
        "at",
        "days",
        "confirmed",
        "expires",
        "feed",
        "secret",
    }
    assert watched.subscribed.keys() == expected
    assert watched.subscribed["on"] == ["answered", "corrected"]


def test_subscriptions_live_and_travel(desk):
    made = desk.json(
        "subscribe", "heroin", "--to", "feed:", "--name", "opiates", "--every", "daily", "--days", "mon,fri"
    )
    assert (made["every"], made["days"]) == ("daily", ["mon", "fri"])
    assert desk.json("subscriptions", "pause", "opiates")["paused"]
    assert desk.json("subscriptions", "resume", str(made["id"]))["paused"] is None
    told = desk("subscriptions", "export").stdout
    assert desk.json("subscriptions", "remove", "opiates")["ended"]
    assert desk.json("subscriptions", "list") == {"total": 0, "items": []}
    (desk.folder / "kept.toml").write_text(told)
    assert desk.json("subscriptions", "import", "kept.toml")["total"] == 1
    assert desk("subscriptions", "show", "nobody").returncode == 1


def test_alerts_run_dry_then_for_good(watched):
    rehearsed = watched.json("--now", "2026-03-12T08:01Z", "alerts", "run", "--dry-run")
    assert {(item["key"], item["kind"]) for item in rehearsed["items"]} >= {
        (STAR, "answered"),
        (STAR, "corrected"),
    }
    assert watched.json("deliveries") == {"total": 0, "items": []}
    assert list((watched.folder / "messages").iterdir()) == []
    done = watched("--now", "2026-03-12T08:01Z", "alerts", "run")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    told = watched.json("deliveries", "--subscription", "desk")
    assert told["total"] == rehearsed["total"]
    sent = next(item for item in told["items"] if item["key"] == STAR and item["event"] == "v3")
    assert sent["state"] == "sent"
    assert sent["subscription"] == {"id": watched.subscribed["id"], "name": "desk"}
    assert sent["matched"][0]["text"].lower() == "cocaine"
    assert list((watched.folder / "messages").glob("*.eml"))
    assert watched.json("alerts", "run", "--dry-run")["total"] == 0
    watched.json("subscribe", "cocaine", "--to", "stdout:", "--name", "screen")
    watched.json("rematch", "screen", "--alerts")
    done = watched("alerts", "run", "--json")
    assert json.loads(done.stdout)["sent"] == 1
    assert "Why: your alert “screen”" in done.stderr, "stdout is for the one document"
    watched.json("subscriptions", "remove", "screen")


def test_a_locked_source_is_exit_3(watched):
    store = open_store(watched.url)
    try:
        with locks.hold(store, "crawl:parliament"):
            done = watched("crawl")
    finally:
        store.close()
    assert done.returncode == 3
    assert "already running" in done.stderr


def test_a_problem_is_reported_once_and_stays_in_status(tmp_path):
    with serve(at="2026-03-03T08:00Z") as replica:
        at = Desk(tmp_path, replica)
        replica.fault("challenge", times=10_000)
        first, second = (at("--now", f"2026-03-03T0{hour}:00Z", "crawl") for hour in (8, 9))
        assert first.returncode == 1
        assert "parliament" in first.stderr
        assert (second.returncode, second.stderr) == (0, "")
        status = at("--now", "2026-03-03T09:00Z", "status", "--json")
        assert status.returncode == 1
        assert json.loads(status.stdout)["problems"]
        replica.fault("none")
        assert at("--now", "2026-03-03T10:00Z", "crawl").returncode == 0
        assert at.json("--now", "2026-03-03T10:00Z", "status")["ok"] is True


def test_a_reader_that_has_seen_enough_and_a_full_disk(watched):
    command = f"{sys.executable} -m pqwatch export --format jsonl --versions --out - "
    for rest, code, said in (
        ("| head -c 10 > /dev/null; exit ${PIPESTATUS[0]}", 0, ""),
        ("> /dev/full", 1, "pqwatch: cannot write standard output: No space left on device\n"),
    ):
        done = subprocess.run(
            ["bash", "-c", command + rest], env=watched.environ, capture_output=True, text=True, timeout=180, check=False
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (code, said)
    done = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m pqwatch status > /dev/full"], env=watched.environ,
        capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (1, "pqwatch: cannot go on: No space left on device\n")


def test_what_is_wrong_at_many_addresses_is_said_once(desk, capsys):
    now = datetime(2026, 3, 3, 8, tzinfo=UTC)
    desk.json("status")
    with closing(open_store(desk.url)) as store, store.write() as conn:
        many = [
            Problem(source="parliament", kind="new-field", url=f"http://x/{number}", message="new to us: y")
            for number in range(2000)
        ]
        failed = Problem(source="feeds", kind="failed", url="http://x/", message="http://x/: no connection")
        problems.report(conn, [*many, failed], now=now)
        found = problems.open_problems(conn)
    complain(Output(), [], found)
    assert capsys.readouterr().err.splitlines() == [
        "pqwatch: feeds: failed: no connection (http://x/)",
        "pqwatch: parliament: new-field: new to us: y (http://x/0 and 1,999 more)",
    ]
    shown = desk("status")
    assert shown.stdout.count("new-field") == 1
    assert "http://x/0 and 1,999 more" in shown.stdout
    assert len(desk.json("status")["problems"]) == 2001


def test_a_crawl_makes_the_index_whole_and_says_nothing_of_it(tmp_path):
    with serve(at="2026-03-03T08:00Z") as replica:
        at = Desk(tmp_path, replica)
        assert at("--now", "2026-03-03T08:00Z", "crawl").returncode == 0
        with closing(open_store(at.url)) as store:
            with store.write() as conn:
                meta.put(conn, "search_stamp", "rules of another program")
            again = at("--now", "2026-03-03T09:00Z", "crawl")
            assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
            with store.read() as conn:
                assert search_index.is_whole(conn)


def test_subscribe_tells_what_it_would_have_sent_lately(watched):
    subscribe = ("--now", "2026-03-12T09:00Z", "subscribe")
    told = watched(*subscribe, "cocaine", "--to", "feed:", "--on", "answered,corrected").stdout
    assert "of the last 14 days it would have sent" in told
    assert re.search(r"2026-03-\d\d  corrected ", told)
    assert "would have sent 0" in watched(*subscribe, "zeppelin", "--to", "feed:").stdout


def test_an_unexpected_error_is_one_line_and_a_traceback_with_v(monkeypatch, capsys):
    def boom(*_args, **_kwargs):
        raise KeyError("oh\nno")

    monkeypatch.setattr("pqwatch.settings.load", boom)
    assert cli.run(["settings"]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "KeyError" in said
    assert "-v" in said
    assert cli.run(["-v", "settings"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_a_reader_that_goes_away_is_no_error(desk):
    command = f"{sys.executable} -m pqwatch settings --json | head -c 1; echo ${{PIPESTATUS[0]}} >&2"
    done = subprocess.run(
        ["bash", "-c", command],
        env=desk.environ,
        cwd=desk.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr in ("0\n", "pqwatch: \n0\n"), done.stderr


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_is_130(desk, sent):
    """Also where the same signal comes again while the command ends."""
    running = subprocess.Popen([sys.executable, "-m", "pqwatch", "replica"], env=desk.environ, cwd=desk.folder,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # fmt: skip
    assert running.stdout.readline().startswith("listening on http://127.0.0.1:")
    time.sleep(0.1)
    for _ in range(2):  # as `timeout` does: to the process, and to its group
        running.send_signal(sent)
    _, said = running.communicate(timeout=120)
    assert running.returncode == 130
    assert "Traceback" not in said


def test_hostile_text_cannot_steer_the_terminal():
    from pqwatch.output import harmless

    assert harmless("a\x1b[2Jb\x07\u202ec\nd\te") == "a[2Jbc\nd\te"


# --- backfills ----------------------------------------------------------------------------------------------------


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_bar_tells_rate_and_time_left():
    out = Output(stdout=io.StringIO(), stderr=Terminal())
    with progress.shown(out) as tell:
        tell(Step("parliament", "backfill", 30, 900, 1.94, 449.0))
    said = out.stderr.getvalue()
    assert [word for word in ("30/900", "1.9/s", "about 7 min left") if word not in said] == []


def test_time_left_reckons_with_the_windows_to_come():
    """Their details are not known yet; of ten windows that took 100 s, one is read."""
    steps = []
    run = Run(
        SimpleNamespace(NAME="parliament"), job="backfill", door=None, fetch=None, settings=CrawlSettings(), now=None,
        progress=steps.append,
    )  # fmt: skip
    run._begun -= 100
    run.expect(10, windows=10)
    run.done = 200
    run.count_window(whole=True)
    run.expect(0)
    assert steps[-1].seconds_left == pytest.approx(900, rel=0.1)


def test_a_backfill_tells_of_its_windows(tmp_path):
    with serve(at="2026-03-05T08:00Z") as replica:
        days = ("backfill", "parliament", "--from", "2026-03-02", "--to", "2026-03-03")
        (report,) = Desk(tmp_path, replica).json("--now", "2026-03-05T08:00Z", *days)["sources"]
    assert (report["windows"], report["gaps"]) == (2, 0)
