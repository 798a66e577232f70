"""Scenario 1: a question is tabled, held, answered and corrected; each step reaches who asked for it, once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from pqwatch.replica import serve
from tests.desk import database
from tests.fakes import Mailbox, mail_server
from tests.shell import Forks, Shell

pytestmark = pytest.mark.xdist_group("scenario 1")  # what a file sets up is set up once

HO1 = "commons/2026-03-03/118001"
BEFORE, TABLED, HELD, ANSWERED, CORRECTED = (
    "2026-03-02T08:00Z", "2026-03-03T20:00Z", "2026-03-06T18:00Z", "2026-03-12T18:00Z", "2026-03-23T18:00Z",
)  # fmt: skip
TITLES = [
    "Tabled: To ask the Secretary of State for the Home Department, how many seizures of nitazenes were made by police forces in England in 2025. (Home Office)",
    "Holding answer: Synthetic Opioids: Seizures (Home Office)",
    "Answered: Synthetic Opioids: Seizures (Home Office)",
    "Corrected: Synthetic Opioids: Seizures (Home Office)",
]
ALL, USUAL = "all@example.org", "usual@example.org"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def story(
    request: pytest.FixtureRequest, forked: Forks, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Shell, Mailbox]]:
    """The whole story, told once: every mail is in the box, in the order in which they came."""
    folder = tmp_path_factory.mktemp("life")
    world = Path(__file__).parent / "worlds" / "nitazenes"
    with (
        database(request.param, folder, request, "life") as url,
        serve(at=BEFORE, data=world) as replica,
        mail_server() as box,
    ):
        shell = Shell(
            forked, folder, replica, PQWATCH_DATABASE_URL=url, PQWATCH_SMTP_URL=box.url,
            PQWATCH_MAIL_FROM="alerts@pqwatch.example",
        )  # fmt: skip
        shell.at("2026-03-02T07:00Z")
        chosen = ["--on", "tabled,holding,answered,corrected"]
        shell.well("subscribe", "nitazene*", "--to", f"mailto:{ALL}", "--confirmed", *chosen, "--name", "all")
        shell.well("subscribe", "nitazene*", "--to", f"mailto:{USUAL}", "--confirmed", "--name", "usual")
        for moment in (BEFORE, TABLED, HELD, ANSWERED, CORRECTED):
            shell.at(moment)
            shell.well("crawl")
            shell.well("alerts", "run")
        yield shell, box


def mails(box: Mailbox, address: str) -> list[EmailMessage]:
    """All but the one that tells what the first crawl found of the time before."""
    return [message for message in box.of(address) if not is_catch_up(message)]


def is_catch_up(message: EmailMessage) -> bool:
    return "118001" not in text(message)


def text(message: EmailMessage) -> str:
    part = message.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def html(message: EmailMessage) -> str:
    part = message.get_body(("html",))
    assert part is not None
    return str(part.get_content())


def test_exactly_four_differently_titled_items(story: tuple[Shell, Mailbox]) -> None:
    _, box = story
    assert [message["Subject"] for message in mails(box, ALL)] == TITLES
    assert len(box.of(ALL)) == 5, "four, and one catch-up of what was there before"


def test_what_was_tabled_is_told_only_to_who_chose_it(story: tuple[Shell, Mailbox]) -> None:
    _, box = story
    assert [message["Subject"] for message in mails(box, USUAL)] == TITLES[2:]


def test_the_answer_tells_how_long_the_holding_answer_stood(story: tuple[Shell, Mailbox]) -> None:
    _, box = story
    said = "The holding answer was given on 6 March 2026; this answer came 6 days later, 9 days after the question was tabled."
    assert said in text(mails(box, ALL)[2])


def test_only_the_figure_is_marked_in_text_and_in_html(story: tuple[Shell, Mailbox]) -> None:
    """Old and new stand in the plain text as well."""
    _, box = story
    plain, rich = text(mails(box, ALL)[3]), html(mails(box, ALL)[3])
    assert re.findall(r"\[-.*?-\]|\{\+.*?\+\}", plain.replace("[-removed-] {+added+}", "")) == [
        "[-1,104-]",
        "{+1,140+}",
    ]
    assert "they made [-1,104-]{+1,140+} seizures of nitazenes" in plain
    rich = rich.partition("What changed in the")[2].partition("</p>")[2]  # after the legend
    assert re.findall(r"<(?:del|ins)[^>]*>(.*?)</(?:del|ins)>", rich) == ["1,104", "1,140"]


def test_each_says_why_and_from_where(story: tuple[Shell, Mailbox]) -> None:
    _, box = story
    for message in mails(box, ALL):
        assert "Why: your alert “all” (nitazene*)" in text(message)
        assert "*nitazenes*" in text(message)
        assert (
            "https://questions-statements.parliament.uk/written-questions/detail/2026-03-03/118001"
            in text(message)
        )
        assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert len({message["Message-ID"] for message in mails(box, ALL)}) == 4


def test_the_page_lists_four_versions_with_fetch_times(story: tuple[Shell, Mailbox]) -> None:
    shell, _ = story
    with shell.web() as visitor:
        page = visitor.get(f"/{HO1}").text
    assert re.findall(r'<time datetime="([^"]+)">', page) == [
        "2026-03-03T20:00:00+00:00", "2026-03-06T18:00:00+00:00", "2026-03-12T18:00:00+00:00",
        "2026-03-23T18:00:00+00:00",
    ]  # fmt: skip
    assert page.count('<li id="v') == 4
    assert "<del>1,104</del><ins>1,140</ins>" in page


def test_show_and_diff_tell_the_same(story: tuple[Shell, Mailbox]) -> None:
    shell, _ = story
    told = shell.json("show", HO1)
    assert [version["kind"] for version in told["versions"]] == ["tabled", "holding", "answered", "corrected"]
    assert told["state"] == "corrected"
    changes = [change for change in shell.json("diff", HO1)["changes"] if change["op"] != "equal"]
    words = [(each["field"], (each["before"] or "").strip(), each["after"].strip()) for each in changes]
    assert words == [("answer_text", "1,104", "1,140"), ("corrected_on", "", "2026-03-23")]


def test_running_every_job_again_sends_nothing_more(story: tuple[Shell, Mailbox]) -> None:
    shell, box = story
    before, rows = len(box.taken), shell.json("deliveries")["total"]
    again = [["crawl"], ["recheck"], ["reparse"], ["rematch"], ["audit"]]
    again += [["backfill", "parliament", "--from", "2026-02-20", "--to", "2026-03-20"], ["alerts", "run"]]
    for job in again:
        shell.well(*job)
    shell.at("2026-03-31T18:00Z")
    for job in (["crawl"], ["alerts", "run"]):
        shell.well(*job)
    assert len(box.taken) == before
    assert shell.json("deliveries")["total"] == rows
    assert len(shell.json("show", HO1)["versions"]) == 4
