"""Scenario 8: consent and leaving, by the web and by mail; link scanners change nothing; what is erased is gone."""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import httpx
import pytest
from fastapi.testclient import TestClient

from pqwatch.replica import serve
from tests.fakes import Mailbox, mail_server
from tests.shell import Forks, Shell

pytestmark = pytest.mark.xdist_group("scenario 8")  # what a file sets up is set up once

START, ANSWERED = "2026-03-02T09:00Z", "2026-03-12T18:00Z"
VICTIM, READER, OTHER = "victim@example.org", "reader@example.org", "other@example.org"
WISH = {"q": "nitazene*", "channel": "mail", "every": "instant", "at": "07:00", "on": ["answered"]}


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mail_server() as server:
        yield server


@pytest.fixture(scope="module")
def crawled(forked: Forks, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the first pass is over."""
    before = tmp_path_factory.mktemp("before")
    with serve(at=START, data=Path(__file__).parent / "worlds" / "nitazenes") as replica:
        made = Shell(forked, before, replica)
        made.at("2026-03-02T08:00Z").well("crawl")
    return before


@pytest.fixture
def shell(crawled: Path, forked: Forks, tmp_path: Path, box: Mailbox) -> Iterator[Shell]:
    shutil.copytree(crawled, tmp_path, dirs_exist_ok=True)
    with serve(at=START, data=Path(__file__).parent / "worlds" / "nitazenes") as replica:
        made = Shell(
            forked, tmp_path, replica, PQWATCH_SMTP_URL=box.url, PQWATCH_MAIL_FROM="alerts@pqwatch.example",
            PQWATCH_CONTACT="operator@pqwatch.example",
        )  # fmt: skip
        yield made.at(START)


def sign_up(visitor: TestClient, *addresses: str) -> list[httpx.Response]:
    """Fills in the form once, and sends it for each address."""
    token = re.search(r'name="token" value="([^"]+)"', visitor.get("/subscribe?q=nitazene*").text)
    assert token
    forms = ({**WISH, "address": address, "token": token[1]} for address in addresses)
    return [visitor.post("/subscribe", data=form) for form in forms]


def text(message: EmailMessage) -> str:
    part = message.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def links(message: EmailMessage) -> list[str]:
    """Every address of a mail, as a scanner finds them: in its texts and in its headers."""
    whole = "\n".join(
        [text(message), message.get_body(("html",)).get_content(), str(message["List-Unsubscribe"])]
    )  # type: ignore[union-attr]
    return sorted(set(re.findall(r"https?://[^\s\"'<>)]+", whole)))


def subscriptions(shell: Shell) -> dict[str, str]:
    """How each stands, by the address it goes to."""
    listed = shell.well("subscriptions", "list", "--all")
    states = ("to be confirmed", "active", "paused", "ended")
    return {
        line.split("mailto:")[1].split()[0]: next(state for state in states if line.rstrip().endswith(state))
        for line in listed.splitlines()
        if "mailto:" in line
    }


def follow(shell: Shell, *addresses: str) -> None:
    for address in addresses:
        shell.well("subscribe", "nitazene*", "--to", f"mailto:{address}", "--confirmed", "--name", address)


def test_somebody_elses_address_gets_one_mail_and_nothing_is_disclosed(shell: Shell, box: Mailbox) -> None:
    follow(shell, READER)
    with shell.web() as visitor:
        pages = [answer.text for answer in sign_up(visitor, VICTIM, READER)]
        assert pages[0].replace(VICTIM, "") == pages[1].replace(READER, ""), "known or not: the same words"
    shell.well("alerts", "run")
    (asked,) = box.of(VICTIM)
    assert "confirm" in str(asked["Subject"]).lower()
    assert "If not, do nothing" in text(asked)
    shell.at(ANSWERED).well("crawl")
    shell.well("alerts", "run")
    assert len(box.of(VICTIM)) == 1, "no alert, no reminder"


def test_sign_ups_for_one_address_are_limited(shell: Shell, box: Mailbox) -> None:
    with shell.web() as visitor:
        pages = {answer.text for answer in sign_up(visitor, *[VICTIM] * 4)}
    assert len(pages) == 1, "a refusal looks like the rest"
    shell.well("alerts", "run")
    assert len(box.of(VICTIM)) <= 3


def test_sign_ups_by_one_visitor_are_limited(shell: Shell) -> None:
    with shell.web() as visitor:
        answers = sign_up(visitor, *(f"a{number}@example.org" for number in range(30)))
    assert answers[0].status_code == 200
    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(refused) > 10
    assert all("Retry-After" in answer.headers for answer in refused)


def test_link_scanners_neither_confirm_nor_remove(shell: Shell, box: Mailbox) -> None:
    follow(shell, READER)
    with shell.web() as visitor:
        sign_up(visitor, VICTIM)
    shell.at(ANSWERED).well("crawl")
    shell.well("alerts", "run")
    before = subscriptions(shell)
    assert before == {READER: "active", VICTIM: "to be confirmed"}
    with shell.web() as visitor:
        for message in box.of(VICTIM) + box.of(READER):
            ours = [link for link in links(message) if link.startswith(str(visitor.base_url))]
            assert ours
            for link in ours:
                assert visitor.get(link).status_code == 200, link
                visitor.head(link)
    assert subscriptions(shell) == before
    with shell.web() as visitor:
        (link,) = [link for link in links(box.of(VICTIM)[0]) if "/confirm/" in link]
        assert visitor.post(link).status_code == 200
    assert subscriptions(shell)[VICTIM] == "active"


def test_one_click_removes_just_that_alert_without_a_login(shell: Shell, box: Mailbox) -> None:
    follow(shell, READER, OTHER)
    shell.well("subscribe", "canal*", "--to", f"mailto:{READER}", "--confirmed", "--name", "canals")
    shell.at(ANSWERED).well("crawl")
    shell.well("alerts", "run")
    link = str(box.of(READER)[0]["List-Unsubscribe"]).strip("<>")
    with shell.web() as visitor:
        done = visitor.post(link, content="List-Unsubscribe=One-Click",
                            headers={"Content-Type": "application/x-www-form-urlencoded"})  # fmt: skip
    assert done.status_code == 200
    standing = {item["name"] for item in shell.json("subscriptions", "list")["items"]}
    assert standing == {OTHER, "canals"}


def test_remove_all_removes_all_and_a_pending_digest_is_not_sent(shell: Shell, box: Mailbox) -> None:
    daily = ["--confirmed", "--every", "daily", "--at", "07:00"]
    for query in ("nitazene*", "seizure*"):
        shell.well("subscribe", query, "--to", f"mailto:{READER}", *daily)
    follow(shell, READER, OTHER)
    shell.at(ANSWERED).well("crawl")
    shell.well("alerts", "run")
    assert [row["state"] for row in shell.json("deliveries")["items"]].count("pending") == 2
    with shell.web() as visitor:
        unsubscribe = str(box.of(READER)[0]["List-Unsubscribe"]).strip("<>")
        manage = re.search(r'href="(/manage/[^"]+)"', visitor.get(unsubscribe).text)
        assert manage
        visitor.post(manage[1], data={"do": "end-all"})
    shell.at("2026-03-13T09:00Z").well("alerts", "run")
    assert len(box.of(READER)) == 1
    assert {item["to"] for item in shell.json("subscriptions", "list")["items"]} == {f"mailto:{OTHER}"}
    reasons = {
        (row["state"], row["reason"]) for row in shell.json("deliveries")["items"] if READER in row["to"]
    }
    assert reasons == {("sent", None), ("dropped", "unsubscribed")}


def test_what_is_forgotten_is_gone_from_every_byte_of_the_database(shell: Shell, box: Mailbox) -> None:
    shell.well(
        "subscribe", "nitazene*", "--to", f"mailto:{READER}", "--confirmed", "--note", "my own inquiry"
    )
    follow(shell, OTHER)
    shell.at(ANSWERED).well("crawl")
    shell.well("alerts", "run")
    assert shell.json("forget", READER) == {"erased": 1}
    with sqlite3.connect(shell.url.removeprefix("sqlite:///")) as conn:
        dump = "\n".join(conn.iterdump())
    assert READER not in dump
    assert READER.encode().hex() not in dump.lower(), "nor in a message that was kept"
    assert "my own inquiry" not in dump
    assert OTHER in dump
    again = shell("subscribe", "nitazene*", "--to", f"mailto:{READER}")
    assert again.code == 2
    assert "asked not to be written to" in again.err
    with shell.web() as visitor:
        known, unknown = sign_up(visitor, READER, VICTIM)
    assert known.text.replace(READER, "") == unknown.text.replace(VICTIM, "")
    shell.well("alerts", "run")
    assert len(box.of(READER)) == 1


def test_a_hard_bounce_pauses_and_tells_the_operator(shell: Shell, box: Mailbox) -> None:
    follow(shell, READER, OTHER)
    shell.at(ANSWERED).well("crawl")
    shell.well("alerts", "run")
    name = str(box.of(READER)[0]["Message-ID"])
    report = shell.folder / "bounce"
    report.write_text(bounce(READER, name))
    told = shell("bounces", str(report))
    assert told.code == 1
    assert f"subscription {READER} is paused" in told.err
    assert subscriptions(shell) == {READER: "paused", OTHER: "active"}
    status = shell.json("status", code=1)
    assert [(problem["kind"], problem["url"]) for problem in status["problems"]] == [
        ("bounced", f"subscription:{READER}")
    ]
    shell.at("2026-03-23T18:00Z").well("crawl")
    shell.well("alerts", "run")
    assert (len(box.of(READER)), len(box.of(OTHER))) == (1, 2)
    assert len(box.of("operator@pqwatch.example")) == 1


def bounce(address: str, message_id: str) -> str:
    return f"""From: MAILER-DAEMON@mx.example.net
To: alerts@pqwatch.example
Subject: Undelivered mail
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

The address does not exist.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net

Final-Recipient: rfc822; {address}
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 unknown user
--b
Content-Type: text/rfc822-headers

Message-ID: {message_id}
--b--
"""
