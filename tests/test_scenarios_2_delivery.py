"""Scenario 2: the sender dies at every step, the mail server stumbles; in the end everybody has each item once."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pqwatch.replica import serve
from tests.chaos.sender import STEPS
from tests.fakes import Mailbox, mail_server
from tests.shell import Forks, Shell

pytestmark = pytest.mark.xdist_group("scenario 2")  # what a file sets up is set up once

BEFORE, ANSWERED = "2026-03-02T08:00Z", "2026-03-12T18:00Z"
READERS = [f"{name}@example.org" for name in "abcd"]
UNRECORDED = ("taken", "marked")
"""Steps at which the server has a message that is not written down yet."""


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mail_server() as server:
        yield server


@pytest.fixture(scope="module")
def crawled(forked: Forks, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with four readers, and an answer that has come and waits to be told."""
    folder = tmp_path_factory.mktemp("crawled")
    with serve(at=BEFORE, data=Path(__file__).parent / "worlds" / "nitazenes") as replica:
        made = Shell(forked, folder, replica, PQWATCH_SMTP_URL="smtp://127.0.0.1:9")
        made.at(BEFORE).well("crawl")
        made.at("2026-03-02T09:00Z")
        for reader in READERS:
            made.well("subscribe", "nitazene*", "--to", f"mailto:{reader}", "--confirmed", "--name", reader)
        made.at(ANSWERED).well("crawl")
    return folder


@pytest.fixture
def shell(crawled: Path, forked: Forks, tmp_path: Path, box: Mailbox) -> Shell:
    """At a copy of that folder, with a mail server."""
    made = Shell(
        forked, tmp_path, PQWATCH_SMTP_URL=box.url, PQWATCH_MAIL_FROM="alerts@pqwatch.example",
        PQWATCH_CONTACT="operator@pqwatch.example",
    )  # fmt: skip
    shutil.copytree(crawled, tmp_path, dirs_exist_ok=True)
    return made.at(ANSWERED)


def ledger(shell: Shell) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = shell.json("deliveries")["items"]
    return items


def test_killed_at_every_step(shell: Shell, box: Mailbox) -> None:
    for step in STEPS:
        with shell.after(("kill_at", step, 2 if step == "committed" else 1)):
            assert shell("alerts", "run").code == -9, step
    shell.well("alerts", "run")
    rows = ledger(shell)
    assert Counter(row["state"] for row in rows) == {"sent": len(READERS)}
    got = {reader: {str(message["Message-ID"]) for message in box.of(reader)} for reader in READERS}
    assert got == {row["to"].removeprefix("mailto:"): {row["message_id"]} for row in rows}
    copies = Counter(str(message["Message-ID"]) for _, message in box.taken)
    assert max(copies.values()) <= 1 + len(UNRECORDED)
    assert len(set(box.raw)) == len(READERS), "what is repeated is the same, byte for byte"
    assert shell.json("audit") == {"checked": len(READERS), "missing": [], "unexpected": []}


@pytest.mark.parametrize("step", ["rows", "committed", "stored", "sending"])
def test_outside_of_the_window_nothing_is_repeated(shell: Shell, box: Mailbox, step: str) -> None:
    with shell.after(("kill_at", step)):
        assert shell("alerts", "run").code == -9
    shell.well("alerts", "run")
    assert sorted(to for to, _ in box.taken) == READERS


def test_a_stumbling_server_and_a_bad_address_hold_up_nobody(shell: Shell, box: Mailbox) -> None:
    answers = {"b@example.org": ["421 4.3.2 later", "hang"], "c@example.org": ["550 5.1.1 no such user"]}

    def rule(stage: str, address: str) -> str | None:
        waiting = answers.get(address, [])
        return waiting.pop(0) if stage == "rcpt" and waiting else None

    box.rule = rule
    with shell.after(("short_sends", 1.0)):
        first = shell("alerts", "run")
        assert first.code == 1, "a message that failed for good needs attention"
        assert {to for to, _ in box.taken} == {"a@example.org", "d@example.org"}
        failed = next(row for row in ledger(shell) if row["state"] == "failed")
        assert failed["message_id"] in first.err
        assert "subscription c@example.org is paused" in first.err
        assert "550 5.1.1 no such user" in failed["error"]
        shell.at("2026-03-12T18:02Z").well("alerts", "run")  # hangs
        shell.at("2026-03-12T18:03Z").well("alerts", "run")  # its pause is not over
        shell.at("2026-03-12T18:30Z").well("alerts", "run")
    states = {row["to"].removeprefix("mailto:"): row["state"] for row in ledger(shell)}
    assert states == {reader: "failed" if reader.startswith("c") else "sent" for reader in READERS}
    readers = [to for to, _ in box.taken if to in READERS]
    assert sorted(readers) == ["a@example.org", "b@example.org", "d@example.org"]
    assert next(row for row in ledger(shell) if row["to"] == "mailto:b@example.org")["attempts"] == 3


def test_the_operator_is_told_of_the_bad_address_and_status_names_it(shell: Shell, box: Mailbox) -> None:
    box.rule = lambda stage, address: "550 5.1.1 no such user" if address == "c@example.org" else None
    assert shell("alerts", "run").code == 1
    shell.well("alerts", "run")
    (told,) = box.of("operator@pqwatch.example")
    assert "c@example.org" in str(told["Subject"])
    status = shell.json("status", code=1)
    assert status["failed"] == 1
    assert [problem["url"] for problem in status["problems"]] == ["subscription:c@example.org"]
    box.rule = lambda stage, address: None
    shell.well("subscriptions", "resume", "c@example.org")
    shell.well("deliveries", "retry")
    shell.well("alerts", "run")
    assert len(box.of("c@example.org")) == 1
    shell.well("status")
