"""`match`, `explain`, `rematch` through the real command; the last two on both databases."""

from __future__ import annotations

import gzip
import json
from datetime import date, timedelta

import pytest

from storage.ingest import ingest
from tests.fakes import NOW, answered, make_content, observation
from tests.test_cli import Desk

DAY = timedelta(days=1)
KEY = "commons/2025-02-24/34567"


def when(days: float) -> str:
    return (NOW + days * DAY).isoformat()


@pytest.fixture
def desk(tmp_path, database_url):
    return Desk(tmp_path, PQWATCH_DATABASE_URL=database_url, PQWATCH_DATA_DIR=str(tmp_path / "data"))


@pytest.fixture
def plain(tmp_path):
    return Desk(tmp_path, PQWATCH_DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")


@pytest.fixture
def life(desk, store):
    """A question tabled, answered without and with cocaine; two subscriptions that came in between; another question."""
    ingest(store, [observation(make_content(), NOW)], now=NOW)
    mild = answered(
        answer_text="The police closed 1,200 lines.", answer_html="<p>The police closed 1,200 lines.</p>"
    )
    ingest(store, [observation(mild, NOW + DAY)], now=NOW + DAY)
    to = f"file://{desk.folder}"
    for name, query in (("cocaine", "cocaine"), ("lines", '"county lines" NOT heroin')):
        made = desk("--now", when(1.5), "subscribe", query, "--to", to, "--name", name)
        assert made.returncode == 0, made.stderr
    ingest(store, [observation(answered(), NOW + 2 * DAY)], now=NOW + 2 * DAY)
    other = make_content(
        uin="9", question_text="How many apples were sold?", heading="Apples", tabled_on=date(2025, 2, 25)
    )
    ingest(store, [observation(other, NOW)], now=NOW, backfilled=True)
    return desk


def test_match_needs_no_database_and_goes_on_after_a_bad_line(plain):
    plain.folder.joinpath("queries").write_text("cocaine\ncounty NEAR\n\n=ROCU OR seiz*\n")
    shapes = [
        {"key": "commons/2024-11-05/1", "answer_text": "Cocaine was seized."},
        {"key": "commons/2024-11-05/2"},
    ]
    with gzip.open(plain.folder / "docs.jsonl.gz", "wt") as file:
        file.writelines(json.dumps(shape) + "\n" for shape in shapes)
    done = plain("match", "queries", "docs.jsonl.gz")
    assert done.returncode == 1
    assert "queries: line 2: column 12: expected" in done.stderr
    assert [json.loads(line) for line in done.stdout.splitlines()] == [
        {"query": 1, "key": "commons/2024-11-05/1", "matched": [{"part": "answer", "text": "Cocaine", "start": 0, "end": 7}]},
        {"query": 4, "key": "commons/2024-11-05/1", "matched": [{"part": "answer", "text": "seized", "start": 12, "end": 18}]},
    ]  # fmt: skip
    plain.folder.joinpath("queries").write_text("cocaine")
    done = plain("match", "queries", "docs.jsonl.gz", "--ids")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == {"query": 1, "key": "commons/2024-11-05/1"}


def test_match_says_what_it_cannot_read(plain):
    done = plain("match", "absent", "docs")
    assert (done.returncode, done.stderr) == (1, "pqwatch: cannot read absent: No such file or directory\n")
    plain.folder.joinpath("q").write_text("cocaine")
    plain.folder.joinpath("docs").write_text('{"key": "commons/2024-11-05/1"}\n{"key": 1}\nnot json\n')
    done = plain("match", "q", "docs")
    assert done.returncode == 1
    assert "docs: line 2:" in done.stderr
    assert "docs: line 3:" in done.stderr


def test_explain_tells_the_branch_the_version_and_the_ledger(life):
    assert life("--now", when(2.1), "alerts", "run").returncode == 0
    told = life.json("--now", when(3), "explain", "lines", KEY.upper())
    assert told["subscription"]["name"] == "lines"
    assert (told["key"], told["matches"], told["version"]) == (KEY, True, 3)
    assert [child["holds"] for child in told["tree"]["children"]] == [True, True]
    assert [each["version"] for each in told["versions"]] == [1, 2, 3]
    assert [each["matches"] for each in told["versions"]] == [True, True, True]
    assert "none of what the subscription hears of" in told["versions"][0]["why"]
    assert "the subscription began later" in told["versions"][1]["why"]
    assert told["versions"][2]["why"] == "it is in the ledger: see the events"
    assert [(e["event"], e["state"]) for e in told["events"]] == [("v3", "sent")]
    shown = life("explain", "cocaine", KEY).stdout
    assert "cocaine matches commons/2025-02-24/34567" in shown
    assert "matches neither this version nor the one before" in " ".join(shown.split())


def test_explain_of_what_is_not_there(life):
    done = life("explain", "cocaine", "commons/2025-02-24/1")
    assert (done.returncode, done.stderr) == (1, "pqwatch: commons/2025-02-24/1 is not held here\n")
    done = life("explain", "nobody", KEY)
    assert (done.returncode, done.stderr) == (1, "pqwatch: there is no subscription 'nobody'\n")
    told = life.json("explain", "cocaine", "commons/2025-02-25/9")
    assert (told["matches"], told["events"]) == (False, [])


def test_rematch_looks_at_every_version_and_sends_only_when_asked(life):
    found = life.json("--now", when(3), "rematch")
    by_name = {item["subscription"]["name"]: item for item in found["items"]}
    assert found["total"] == 2
    assert {name: (i["questions"], i["events"], i["told"], i["rows"]) for name, i in by_name.items()} == {
        "cocaine": (1, 1, 0, 0),
        "lines": (1, 2, 0, 0),
    }
    assert life.json("deliveries")["total"] == 0
    assert life("--now", when(3), "alerts", "run").returncode == 0  # v3, to both
    again = life.json("--now", when(4), "rematch", "lines", "--alerts")
    assert [(i["events"], i["told"], i["rows"]) for i in again["items"]] == [(2, 1, 1)]
    assert life.json("--now", when(4), "rematch", "lines", "--alerts")["items"][0]["rows"] == 0
    assert life("--now", when(5), "alerts", "run").returncode == 0
    rows = life.json("deliveries", "--subscription", "lines")["items"]
    assert sorted((row["event"], row["state"]) for row in rows) == [("v2", "sent"), ("v3", "sent")]
    assert life("--now", when(5), "audit").returncode == 0  # a catch-up message is nothing unexpected


def test_rematch_by_index_and_by_reading_everything_agree(life, store, monkeypatch):
    from alerts import rematch
    from storage import subscriptions
    from tests.fakes import make_setup

    with store.read() as conn:
        wanted = subscriptions.every(conn)
    setup = make_setup()
    few = [each.shape() for each in rematch.Rematch(store, setup, NOW).run(wanted)]
    monkeypatch.setattr(rematch, "FEW", 0)
    steps = []
    every = [
        each.shape()
        for each in rematch.Rematch(store, setup, NOW).run(wanted, lambda *s: steps.append(s[:2]))
    ]
    assert few == every
    assert steps == [(2, 2)]
