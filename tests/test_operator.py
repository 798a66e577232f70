"""What the person who runs pqwatch is written about the sources, and what readers are told of one that is late."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from alerts.run import run
from alerts.setup import Setup
from alerts.subscriptions import Request, subscribe
from scraper import health
from storage import checks, problems, runs
from storage.records import Problem
from storage.store import Store
from tests import fakes
from tests.fakes import NOW, Mailbox, make_setup

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ADA, OPERATOR = "ada@example.org", "operator@example.org"


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with fakes.mail_server() as server:
        yield server


@pytest.fixture
def setup(store: Store, box: Mailbox) -> Setup:
    made = make_setup(smtp_url=box.url, contact=OPERATOR, sources=("parliament",))
    wish = Request(query="cocaine", to=f"mailto:{ADA}", confirmed=True)
    subscribe(store, wish, setup=made, now=NOW - DAY)
    return made


def crawl(store: Store, at: datetime, *, ok: bool = True) -> None:
    with store.write() as conn:
        number = runs.start(conn, "crawl", "parliament", now=at, whole=True)
        runs.finish(conn, number, now=at, ok=ok, report={})


def met(store: Store, at: datetime, kind: str, message: str, url: str = "https://x.example/1") -> None:
    with store.write() as conn:
        problems.report(conn, [Problem(source="parliament", kind=kind, url=url, message=message)], now=at)


def over(store: Store, at: datetime, url: str = "https://x.example/1") -> None:
    with store.write() as conn:
        problems.end(conn, "parliament", [url], now=at)


def go(store: Store, setup: Setup, at: datetime) -> None:
    assert run(store, now=at, settings=setup).ok


def subjects(box: Mailbox, to: str) -> list[str]:
    return [str(message["Subject"]) for message in box.of(to)]


def test_what_changed_under_our_parsers_is_told_at_once_and_once(
    store: Store, setup: Setup, box: Mailbox
) -> None:
    crawl(store, NOW)
    for page in range(30):
        met(store, NOW, "new-field", "new to us: mood", f"https://x.example/{page}")
    for minutes in range(0, 300, 60):
        go(store, setup, NOW + timedelta(minutes=minutes))
    assert subjects(box, OPERATOR) == ["pqwatch needs attention: parliament: new-field: new to us: mood"]
    assert box.of(ADA) == [], "readers hear of what they miss, not of this"
    for page in range(30):
        over(store, NOW + 5 * HOUR, f"https://x.example/{page}")
    go(store, setup, NOW + 5 * HOUR)
    go(store, setup, NOW + 7 * HOUR)
    assert subjects(box, OPERATOR)[1:] == ["Well again: parliament: new-field: new to us: mood"]
    met(store, NOW + 8 * HOUR, "new-field", "new to us: mood")
    go(store, setup, NOW + 8 * HOUR)
    assert len(box.of(OPERATOR)) == 3, "another time is news"


def test_what_may_pass_is_told_after_a_day(store: Store, setup: Setup, box: Mailbox) -> None:
    crawl(store, NOW)
    met(store, NOW, "status", "answered with HTTP 500")
    go(store, setup, NOW + 23 * HOUR)
    assert box.of(OPERATOR) == []
    crawl(store, NOW + DAY)
    go(store, setup, NOW + DAY)
    assert subjects(box, OPERATOR) == ["pqwatch needs attention: parliament: status: answered with HTTP 500"]


def test_a_source_that_changes_to_and_fro_does_not_fill_a_mailbox(
    store: Store, setup: Setup, box: Mailbox
) -> None:
    crawl(store, NOW)
    for minute in range(0, 120, 5):
        met(store, NOW, "unreadable-page", f"{minute} of 99 cells are missing")
        go(store, setup, NOW + timedelta(minutes=minute))
        over(store, NOW)
        go(store, setup, NOW + timedelta(minutes=minute + 2))
    assert len(box.of(OPERATOR)) <= 3


def test_many_problems_are_one_mail_that_can_be_read(store: Store, setup: Setup, box: Mailbox) -> None:
    crawl(store, NOW)
    for number in range(300):
        words = "".join(chr(97 + int(digit)) for digit in str(number))
        met(
            store,
            NOW,
            "new-field",
            f"new to us: {words}\r\nBcc: eve@example.org",
            f"https://x.example/{number}",
        )
    go(store, setup, NOW)
    (mail,) = box.of(OPERATOR)
    assert mail["Bcc"] is None
    assert "(and 299 more)" in mail["Subject"]
    text = mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert "and 280 more" in text
    assert text.count("new to us") == 1 + 20  # the subject stands above


@pytest.mark.parametrize("contact", ["", "https://example.org/contact"])
def test_nobody_is_written_to_where_no_address_is_known(
    store: Store, setup: Setup, box: Mailbox, contact: str
) -> None:
    crawl(store, NOW)
    met(store, NOW, "new-field", "new to us: mood")
    go(store, make_setup(smtp_url=box.url, contact=contact), NOW)
    assert box.taken == []


def outage(store: Store, setup: Setup, box: Mailbox, hours: range) -> list[tuple[str, str]]:
    for hour in hours:
        go(store, setup, NOW + hour * HOUR)
    return [(to, str(message["Subject"]).partition(":")[0]) for to, message in box.taken]


def test_a_source_that_shows_too_little_for_a_day_is_late(store: Store, setup: Setup, box: Mailbox) -> None:
    for hour in range(60):
        crawl(store, NOW + hour * HOUR)
    met(store, NOW, "silent-day", "2025-02-27 was a sitting day, and nothing was listed for it")
    assert outage(store, setup, box, range(24)) == []
    assert sorted(outage(store, setup, box, range(24, 40))) == [(ADA, "Late"), (OPERATOR, "Late")]
    over(store, NOW + 40 * HOUR)
    told = outage(store, setup, box, range(40, 48))
    assert sorted(told[2:]) == [(ADA, "Well again"), (OPERATOR, "Well again")]


def test_that_nobody_asks_an_enabled_source_any_more_is_told_the_operator_alone(
    store: Store, setup: Setup, box: Mailbox
) -> None:
    """The crawl was taken out of cron, or does not start: no fault of the source."""
    crawl(store, NOW)
    assert outage(store, setup, box, range(0, 48, 6)) == []
    assert outage(store, setup, box, range(49, 90, 6)) == [(OPERATOR, "Late")]
    crawl(store, NOW + 90 * HOUR)
    assert outage(store, setup, box, range(91, 99))[1:] == [(OPERATOR, "Well again")]


def test_the_operator_hears_of_a_failing_source_without_any_reader(store: Store, box: Mailbox) -> None:
    setup: Any = make_setup(smtp_url=box.url, contact=OPERATOR)
    crawl(store, NOW)
    for hour in range(1, 30):
        crawl(store, NOW + hour * HOUR, ok=False)
    met(store, NOW, "blocked", "answered with a bot challenge")
    assert outage(store, setup, box, range(1, 60)) == [(OPERATOR, "Late")]


def test_the_kinds_of_lateness_are_those_that_a_pass_reports() -> None:
    assert {health.SILENT, health.FALL} == checks.LATE
