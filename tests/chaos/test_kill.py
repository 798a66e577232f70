"""The sender is killed at every step, again and again; in the end every recipient has every item, and the ledger is right.

`make test` kills a hundred times, spread over the steps; `make chaos` (marker `chaos`) a hundred times at each, on both
databases.
"""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest

from alerts.sending import LANES
from alerts.subscriptions import Request, subscribe
from storage import ledger
from storage.ingest import ingest
from storage.store import Store, open_store
from tests import fakes
from tests.chaos.sender import STEPS
from tests.fakes import NOW, Mailbox, answered, make_content, make_setup, observation

ONCE = ("done", "composed", "stored")
"""Steps that a run of so few rows passes once; the others it may pass three times."""

READERS = 6
QUESTIONS = 3


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with fakes.mail_server() as server:
        yield server


class Senders:
    """The process that brings forth senders, for whatever database and mail server."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.chaos.sender"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def send(self, *order: str | int) -> int:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def close(self) -> None:
        self.process.communicate(timeout=120)


@pytest.fixture(scope="session")
def senders() -> Iterator[Senders]:
    made = Senders()
    yield made
    made.close()


def fill(store: Store, box: Mailbox, batch: int) -> None:
    at = NOW + batch * timedelta(hours=1)
    if batch == 0:
        for reader in range(READERS):
            subscribe(
                store,
                Request(query="cocaine", to=f"mailto:r{reader}@example.org", confirmed=True),
                setup=make_setup(smtp_url=box.url),
                now=NOW - timedelta(hours=1),
            )
    seen = [answered(make_content(uin=str(40_000 + 10 * batch + n))) for n in range(QUESTIONS)]
    ingest(store, [observation(content, at) for content in seen], now=at)


def check(store: Store, box: Mailbox, batches: int, killed: int) -> None:
    """Every reader has every question; repeats only in the window and with the same id; ledger = mailbox."""
    expected = {f"commons/2025-02-24/{40_000 + 10 * b + n}" for b in range(batches) for n in range(QUESTIONS)}
    with store.read() as conn:
        rows = ledger.listed(conn)
    assert Counter(row.state for row in rows) == {"sent": READERS * batches * QUESTIONS}
    for reader in range(READERS):
        address = f"r{reader}@example.org"
        told = Counter(
            key
            for message in {str(m["Message-ID"]): m for m in box.of(address)}.values()
            for key in set(re.findall(r"commons/2025-02-24/\d+", message.get_body(("plain",)).get_content()))
        )
        assert told == dict.fromkeys(expected, 1)
        marked = {row.message_id for row in rows if row.to == f"mailto:{address}"}
        assert {str(message["Message-ID"]) for message in box.of(address)} == marked
    repeats = len(box.taken) - len({str(message["Message-ID"]) for _, message in box.taken})
    assert repeats <= LANES * killed  # each lane had at most one message that was taken and not yet marked
    by_id: dict[str, set[bytes]] = {}
    for (_, message), raw in zip(box.taken, box.raw, strict=True):
        by_id.setdefault(str(message["Message-ID"]), set()).add(raw)
    assert all(len(raws) == 1 for raws in by_id.values())  # the same bytes, too


def kill_often(senders: Senders, url: str, box: Mailbox, step: str, times: int) -> None:
    """Each batch but the first is sent by processes that die at the step, then by one that does not."""
    chance = random.Random(step)
    store = open_store(url)
    killed = batch = 0
    while killed < times:
        fill(store, box, batch)
        now = (NOW + batch * timedelta(hours=1)).isoformat()
        for _ in range(chance.randint(1, 4) if batch else 0):
            nth = 1 if step in ONCE else chance.randint(1, 3)
            code = senders.send(url, box.url, step, nth, now)
            assert code in (0, -9)
            killed += code == -9
        assert senders.send(url, box.url, "none" if batch else "warm", 0, now) == 0
        batch += 1
        assert batch < 10 * times + 10, f"{step} is never reached"
    check(store, box, batch, killed)
    store.close()


@pytest.mark.slow
@pytest.mark.parametrize("step", STEPS)
def test_killed_ten_times_at_each_step(step: str, sqlite_url: str, box: Mailbox, senders: Senders) -> None:
    kill_often(senders, sqlite_url, box, step, 10)


@pytest.mark.chaos
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("step", STEPS)
def test_killed_a_hundred_times_at_each_step(
    step: str, database_url: str, box: Mailbox, senders: Senders
) -> None:
    kill_often(senders, database_url, box, step, 100)
