"""Scenario 6: one answer, five alerts, three channels; a weekly digest across the October clock change; quiet Sundays."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import feedparser
import pytest
from standardwebhooks import Webhook

from pqwatch.replica import serve
from tests.fakes import Mailbox, Receiver, mail_server, receiver
from tests.shell import Forks, Shell

pytestmark = pytest.mark.xdist_group("scenario 6")  # what a file sets up is set up once

ADA, BEA, CYD = "ada@example.org", "bea@example.org", "cyd@example.org"
FIVE = ["cocaine", "smuggl*", '"Border Force"', 'department:"Home Office" ports', "gang"]
ANSWER, GANGS = "commons/2025-10-15/81002", "commons/2025-10-20/81003"


@dataclass
class Stage:
    """The story, told once. `mails`: how many each had after each run; `feeds`: what the feed held at three moments."""

    shell: Shell
    box: Mailbox
    hook: Receiver
    secret: str
    feed: str = ""
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    feeds: list[Any] = field(default_factory=list)

    def run(self, moment: str, *jobs: str) -> None:
        self.shell.at(moment)
        for job in jobs:
            self.shell.well(job)
        self.shell.well("alerts", "run")
        self.counts[moment] = {to[:3]: len(self.box.of(to)) for to in (ADA, BEA, CYD)}

    def read_feed(self) -> None:
        with self.shell.web() as visitor:
            self.feeds.append(feedparser.parse(visitor.get(self.feed).content))


@pytest.fixture(scope="module")
def stage(forked: Forks, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("channels")
    start = "2025-10-16T08:00Z"
    with (
        serve(at=start, data=Path(__file__).parent / "worlds" / "autumn") as replica,
        mail_server() as box,
        receiver() as hook,
    ):
        shell = Shell(
            forked, folder, replica, PQWATCH_SMTP_URL=box.url, PQWATCH_MAIL_FROM="alerts@pqwatch.example"
        )
        shell.at(start).well("crawl")
        shell.at("2025-10-16T09:00Z")
        for query in FIVE:
            shell.well("subscribe", query, "--to", f"mailto:{ADA}", "--confirmed", "--every", "daily")
        shell.well(
            "subscribe", "cocaine OR gang*", "--to", f"mailto:{BEA}", "--confirmed", "--every", "weekly", "--days", "fri"
        )  # fmt: skip
        shell.well(
            "subscribe", "gang*", "--to", f"mailto:{CYD}", "--confirmed", "--every", "daily",
            "--days", "mon,tue,wed,thu,fri,sat",
        )  # fmt: skip
        made = shell.json("subscribe", "cocaine", "--to", hook.url(), "--name", "hook")
        told = Stage(shell, box, hook, made["secret"])
        told.feed = shell.json("subscribe", "cocaine", "--to", "feed:")["feed"]
        _tell(told)
        yield told


def _tell(told: Stage) -> None:
    told.hook.rule = lambda call: (503 if len(told.hook.calls) == 1 else 200, {})
    told.run("2025-10-21T18:00Z", "crawl")  # Tuesday: the answer has come
    told.read_feed()
    told.run("2025-10-21T18:00:04Z")
    told.run("2025-10-21T18:00:05Z")
    told.run("2025-10-22T05:59Z")
    told.run("2025-10-22T06:00Z")  # 07:00 in London, in summer
    told.run("2025-10-24T05:59Z")
    told.run("2025-10-24T06:00Z")  # Friday, in summer
    told.run("2025-10-25T20:30Z", "crawl")  # Saturday evening: the next one
    told.run("2025-10-26T06:30Z")
    told.run("2025-10-26T07:00Z")  # Sunday: 07:00 in London, in winter
    told.run("2025-10-27T06:59Z")
    told.run("2025-10-27T07:00Z")
    told.run("2025-10-28T18:00Z", "crawl")  # the correction
    told.read_feed()
    told.run("2025-10-31T06:00Z")
    told.run("2025-10-31T07:00Z")  # Friday, in winter
    told.read_feed()


def text(message: EmailMessage) -> str:
    part = message.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def test_the_person_gets_it_once_in_the_daily_digest_with_all_five_reasons(stage: Stage) -> None:
    assert stage.counts["2025-10-22T05:59Z"]["ada"] == 0
    assert stage.counts["2025-10-22T06:00Z"]["ada"] == 1
    first = text(stage.box.of(ADA)[0])
    assert first.count("ANSWERED: ") == 1
    assert [first.count(f"({query})") for query in FIVE] == [1] * 5
    assert first.count("Why: your alert") == 5


def test_one_click_of_that_digest_covers_all_five(stage: Stage) -> None:
    link = str(stage.box.of(ADA)[0]["List-Unsubscribe"]).strip("<>")
    with stage.shell.web() as visitor:
        page = visitor.get(link).text
    assert [page.count(query.replace('"', "&#34;")) > 0 for query in FIVE] == [True] * 5


def test_the_colleague_gets_it_on_friday_also_across_the_clock_change(stage: Stage) -> None:
    got = {moment: count["bea"] for moment, count in stage.counts.items()}
    assert (got["2025-10-24T05:59Z"], got["2025-10-24T06:00Z"]) == (0, 1)
    assert (got["2025-10-31T06:00Z"], got["2025-10-31T07:00Z"]) == (1, 2)
    second = text(stage.box.of(BEA)[1])
    assert GANGS in second
    assert ANSWER in second
    assert "[-12-]{+21+}" in second
    assert stage.box.of(BEA)[1]["Subject"].startswith("2 ")


def test_nothing_on_sundays_where_so_set(stage: Stage) -> None:
    got = {moment: (count["ada"], count["cyd"]) for moment, count in stage.counts.items()}
    assert got["2025-10-24T06:00Z"] == (1, 1)
    assert got["2025-10-26T06:30Z"] == (1, 1), "07:00 has not come: the clocks went back"
    assert got["2025-10-26T07:00Z"] == (2, 1), "Sunday: the one, not the other"
    assert got["2025-10-27T06:59Z"] == (2, 1)
    assert got["2025-10-27T07:00Z"] == (2, 2), "Monday"


def test_atom_has_one_entry_a_version(stage: Stage) -> None:
    first, second, third = stage.feeds
    assert [feed.bozo for feed in stage.feeds] == [False] * 3
    assert len(first.entries) == 1
    assert [entry.title for entry in second.entries] == [
        "Corrected: Cocaine: Smuggling (Home Office)",
        "Answered: Cocaine: Smuggling (Home Office)",
    ]
    assert second.entries[1].id == first.entries[0].id
    assert second.entries[1].updated == first.entries[0].updated
    assert [(each.id, each.updated) for each in third.entries] == [
        (each.id, each.updated) for each in second.entries
    ]
    assert third.feed.updated == second.feed.updated


def test_the_webhook_is_signed_keeps_its_id_and_is_retried_after_503(stage: Stage) -> None:
    calls = stage.hook.calls[:3]
    bodies = [Webhook(stage.secret).verify(call.body, call.headers) for call in calls]
    assert [call.headers["webhook-id"] for call in calls[:2]] == [calls[0].headers["webhook-id"]] * 2
    assert calls[2].headers["webhook-id"] != calls[0].headers["webhook-id"]
    assert [(body["key"], body["kind"]) for body in bodies] == [
        (ANSWER, "answered"), (ANSWER, "answered"), (ANSWER, "corrected"),
    ]  # fmt: skip
    assert bodies[0]["subscription"]["name"] == "hook"
    assert {match["text"] for match in bodies[0]["matched"]} >= {"cocaine", "Cocaine"}
    assert bodies[2]["version"] == bodies[0]["version"] + 1


def test_the_webhook_is_replayed_on_demand_under_the_same_ids(stage: Stage) -> None:
    before = [call.headers["webhook-id"] for call in stage.hook.calls]
    assert len(before) == 3
    assert stage.shell.json("webhook", "replay", "hook") == {"messages": 2}
    stage.shell.well("alerts", "run")
    again = [call.headers["webhook-id"] for call in stage.hook.calls[3:]]
    assert again == [before[0], before[2]]
    stage.shell.well("webhook", "test", "hook")
    tried = stage.hook.calls[-1]
    assert Webhook(stage.secret).verify(tried.body, tried.headers)["event"] == "test"
    assert json.loads(tried.body)["subscription"]["name"] == "hook"


def test_the_ledger_has_each_once_and_the_audit_agrees(stage: Stage) -> None:
    rows = stage.shell.json("deliveries")["items"]
    assert len({(row["subscription"]["id"], row["key"], row["event"]) for row in rows}) == len(rows)
    assert stage.shell.json("audit", "--days", "30")["missing"] == []
