"""Scenario 4: the source goes wrong, in turn and in every way; nothing false is stored, the right people hear of it once."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from pqwatch.replica import Replica, serve, server
from pqwatch.replica.world import World
from storage.procedure import is_sitting_day
from storage.records import House
from tests.fakes import Mailbox, mail_server
from tests.shell import Done, Forks, Shell

pytestmark = pytest.mark.xdist_group("scenario 4")  # what a file sets up is set up once

FOLDER = Path(__file__).parent / "worlds" / "nitazenes"
FIRST, LAST = date(2026, 3, 2), date(2026, 3, 26)
BASE, FAULTY, MENDED = "2026-03-17T08:00Z", "2026-03-18T08:00Z", "2026-03-18T20:00Z"
A_DAY = 21
LONG = "how many tonnes were seized, " * 30 + "and where."
API = "/api/writtenquestions/questions"
Edit = Callable[[dict[str, Any]], None]


def busy(world: World, *, without: tuple[date, ...] = ()) -> World:
    """So many questions on every sitting day that a day without any is no accident."""
    days = [FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1)]
    sat = [day for day in days if is_sitting_day(day, House.COMMONS) and day not in without]
    stories = [_story(day, number) for day in sat for number in range(A_DAY)]
    return replace(world, stories=tuple(stories))


def _story(day: date, number: int) -> dict[str, Any]:
    uin = f"{day:%m%d}{number:02}"
    return {
        "id": 1930000 + int(uin), "uin": uin, "tabled": day, "due": day + timedelta(days=2), "body": "Home Office",
        "asker": "Orla Fenwick", "text": f"To ask the Secretary of State, {LONG if number == 0 else 'how many tonnes were seized.'}",
    }  # fmt: skip


@pytest.fixture(scope="module")
def crawled(forked: Forks, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the first pass went well."""
    folder = tmp_path_factory.mktemp("well")
    with serve(at=BASE, data=FOLDER) as replica:
        replica.stage.world = busy(replica.stage.world)
        Shell(forked, folder, replica).at(BASE).well("crawl")
    return folder


@pytest.fixture
def replica() -> Iterator[Replica]:
    with serve(at=BASE, data=FOLDER) as made:
        made.stage.world = busy(made.stage.world)
        yield made


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mail_server() as made:
        yield made


@pytest.fixture
def shell(forked: Forks, crawled: Path, tmp_path: Path, replica: Replica, box: Mailbox) -> Iterator[Shell]:
    shutil.copytree(crawled, tmp_path, dirs_exist_ok=True)
    made = Shell(
        forked, tmp_path, replica, PQWATCH_PARLIAMENT_URL=replica.url, PQWATCH_SMTP_URL=box.url,
        PQWATCH_MAIL_FROM="alerts@pqwatch.example",
    )  # fmt: skip
    with made.after(("quick_retries",)):
        yield made.at(BASE)


def edited(monkeypatch: pytest.MonkeyPatch, edit: Edit) -> None:
    """From here on every answer of the API is changed before it is sent."""
    real = server.reply_to

    def changed(world: Any, at: Any, target: str, headers: Any, *, welsh: bool) -> Any:
        reply = real(world, at, target, headers, welsh=welsh)
        if not target.startswith(API):
            return reply
        document = json.loads(reply.body)
        edit(document)
        return replace(reply, body=json.dumps(document).encode())

    monkeypatch.setattr(server, "reply_to", changed)


def values(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [result["value"] for result in document.get("results", [document])]


def fall(document: dict[str, Any]) -> None:
    if "results" in document:
        kept = max(1, len(document["results"]) // 10) if document["results"] else 0
        document["results"] = document["results"][:kept]
        document["totalResults"] = kept


def rename(document: dict[str, Any]) -> None:
    for value in values(document):
        value["questionBody"] = value.pop("questionText")


def add(document: dict[str, Any]) -> None:
    for value in values(document):
        value["mood"] = "cheerful"


def held(shell: Shell) -> dict[str, Any]:
    """Everything that is held, whole."""
    lines = shell.well("export", "--format", "jsonl", "--versions", "--out", "-").splitlines()
    found = [json.loads(line) for line in lines]
    return {each["key"]: {name: each[name] for name in each if name != "sources"} for each in found}


FAULTS: dict[str, tuple[str, Any]] = {
    "an HTTP 200 with a challenge or maintenance page": ("fault", {"kind": "html200"}),
    "a bot challenge": ("fault", {"kind": "challenge"}),
    "JSON that says status 500": ("fault", {"kind": "json500"}),
    "JSON that is cut in half": ("fault", {"kind": "truncated"}),
    "a total that falls by 90 %": ("edit", fall),
    "a renamed field": ("edit", rename),
}


@pytest.mark.parametrize("name", FAULTS)
def test_nothing_false_is_stored_and_recovery_catches_up(
    shell: Shell, replica: Replica, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    before = held(shell)
    shell.at(FAULTY)
    how, what = FAULTS[name]
    with monkeypatch.context() as patch:
        if how == "edit":
            edited(patch, what)
        else:
            replica.fault(
                what["kind"], match=API, times=10**6, **{k: v for k, v in what.items() if k != "kind"}
            )
        first = shell("crawl")
        assert first.code == 1
        assert first.err.startswith("pqwatch: parliament: ")
        after = held(shell)
        assert {key: after[key] for key in before} == before, "nothing changed, nothing is gone or withdrawn"
        assert all(not key.startswith("commons/2026-03-17") or how == "edit" for key in after)
        status = shell.json("status", code=1)
        assert not status["ok"]
        assert all(problem["url"] and problem["first_seen"] for problem in status["problems"])
        again = shell("crawl") if how == "fault" else Done(0, "", "")
        assert (again.code, again.err) == (0, ""), "told once; what stays as it is is no news"
    replica.fault("none")
    shell.at(MENDED).well("crawl")
    assert sum(key.startswith("commons/2026-03-17") for key in held(shell)) == A_DAY
    assert shell.json("status")["problems"] == []


def test_a_new_field_is_told_and_its_rows_are_kept(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shell.at(FAULTY)
    edited(monkeypatch, add)
    done = shell("crawl")
    assert done.code == 1
    assert "mood" in done.err
    assert sum(key.startswith("commons/2026-03-17") for key in held(shell)) == A_DAY


def test_a_text_that_the_list_cuts_is_never_stored_cut(shell: Shell, replica: Replica) -> None:
    shell.at(FAULTY)
    long = "commons/2026-03-17/031700"
    replica.fault("http", match=f"{API}/{1930000 + 31700}", times=10**6, status=500)
    assert shell("crawl").code == 1
    assert long not in held(shell)
    replica.fault("none")
    shell.at(MENDED).well("crawl")
    assert shell.json("show", long)["question_text"].endswith("and where.")


def test_an_empty_sitting_day_is_told_and_an_empty_recess_is_not(shell: Shell, replica: Replica) -> None:
    whole = replica.stage.world
    replica.stage.world = busy(whole, without=(date(2026, 3, 18),))
    done = shell.at("2026-03-23T20:00Z")("crawl")
    assert done.code == 1
    assert "2026-03-18 was a sitting day" in done.err
    replica.stage.world = whole
    shell.at("2026-03-27T20:00Z").well("crawl")
    assert shell.json("status")["problems"] == []
    for moment in ("2026-04-05T20:00Z", "2026-04-08T20:00Z"):  # Easter: nothing is tabled from 27 March on
        shell.at(moment).well("crawl")
        assert shell.json("status")["problems"] == []


def test_subscribers_are_told_once_after_a_day_and_once_when_it_is_well(
    shell: Shell, replica: Replica, box: Mailbox
) -> None:
    shell.at("2026-03-17T09:00Z")
    shell.well("subscribe", "tonne*", "--to", "mailto:ada@example.org", "--confirmed", "--on", "tabled", "--every", "daily")  # fmt: skip
    replica.fault("challenge", match=API, times=10**6)
    for moment in ("2026-03-18T08:00Z", "2026-03-18T20:00Z", "2026-03-19T09:00Z", "2026-03-20T09:00Z"):
        shell.at(moment)("crawl")
        shell.well("alerts", "run")
        late = [
            message for message in box.of("ada@example.org") if str(message["Subject"]).startswith("Late: ")
        ]
        assert len(late) == (moment >= "2026-03-19"), moment
    replica.fault("none")
    for moment in ("2026-03-20T20:00Z", "2026-03-21T09:00Z"):
        shell.at(moment).well("crawl")
        shell.well("alerts", "run")
    subjects = [str(message["Subject"]) for message in box.of("ada@example.org")]
    assert [subject.partition(":")[0] for subject in subjects] == ["Late", "Well again", "63 items"]
    assert 3 * A_DAY == 63, "the days missed, 17 to 19 March, are made up"
