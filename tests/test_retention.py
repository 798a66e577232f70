"""What is kept of people, and that it is gone on the day that they were told."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from alerts import again, bounces, lifecycle, reporting
from alerts.keeping import erased_on
from alerts.run import run
from alerts.setup import Setup
from alerts.subscriptions import Request, confirm, subscribe
from storage import ledger
from storage import subscriptions as rows
from storage.ingest import ingest
from storage.schema import metadata
from storage.store import Store
from storage.subscriptions import Subscription
from tests import fakes
from tests.fakes import NOW, Mailbox, answered, make_content, make_setup, observation

DAY = timedelta(days=1)
ADA, BO = "ada@example.org", "bo@example.org"


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with fakes.mail_server() as server:
        yield server


@pytest.fixture
def setup(box: Mailbox) -> Setup:
    return make_setup(smtp_url=box.url, contact="operator@example.org")


def take(store: Store, setup: Setup, to: str = ADA, at: datetime = NOW, **changes: Any) -> Subscription:
    values = {"query": "cocaine", "to": f"mailto:{to}", "confirmed": True, **changes}
    return subscribe(store, Request(**values), setup=setup, now=at)


def see(store: Store, at: datetime = NOW, uin: str = "34567") -> None:
    ingest(store, [observation(answered(make_content(uin=uin)), at)], now=at)


def go(store: Store, setup: Setup, at: datetime) -> None:
    run(store, now=at, settings=setup)


def everything(store: Store) -> str:
    """Every value of every table, payloads as they would be read."""
    with store.read() as conn:
        cells = [cell for t in metadata.sorted_tables for row in conn.execute(select(t)) for cell in row]
    return "\n".join(
        cell.decode(errors="replace") if isinstance(cell, bytes) else str(cell) for cell in cells
    )


def of(store: Store, subscription: Subscription) -> Subscription:
    with store.read() as conn:
        return rows.by_id(conn, subscription.id)


def test_what_ended_is_erased_on_the_stated_day_and_the_ledger_stands(
    store: Store, setup: Setup, box: Mailbox
) -> None:
    ended = take(store, setup, note="for my own inquiry")
    stays = take(store, setup, BO)
    see(store)
    go(store, setup, NOW)
    lifecycle.remove(store, str(ended.id), now=NOW + DAY)
    shown = reporting.subscription_details(of(store, ended), setup)
    assert shown["erased_on"] == "2025-04-01"  # 28 days after 4 March
    eve = datetime.fromisoformat("2025-03-31T22:59:00+00:00")  # 23:59 in London
    go(store, setup, eve)
    assert of(store, ended).to == f"mailto:{ADA}"
    go(store, setup, eve + timedelta(minutes=1))
    left = everything(store)
    assert ADA not in left
    assert "my own inquiry" not in left
    with store.read() as conn:
        told = {row.subscription_id: row for row in ledger.listed(conn)}
    assert {row.state for row in told.values()} == {"sent"}
    assert told[ended.id].sent_at == NOW
    assert (told[ended.id].to, told[stays.id].to) == ("erased:", f"mailto:{BO}")
    assert of(store, stays).query == "cocaine"
    token = of(store, ended).token
    assert len(token) > 30, "nobody guesses the address of its feed"
    assert token != ended.token
    again_taken = take(store, setup, at=eve + DAY, confirmed=False)
    assert again_taken.confirmed_at is None, "who left may come back"


def test_what_nobody_confirmed_is_erased_and_its_link_is_dead(
    store: Store, setup: Setup, box: Mailbox
) -> None:
    asked = take(store, setup, confirmed=False)
    go(store, setup, NOW)
    (mail,) = box.of(ADA)
    assert re.search(r"erased on\s+31\s+March\s+2025", mail.get_body(("plain",)).get_content())  # type: ignore[union-attr]
    go(store, setup, NOW + 27 * DAY)
    assert of(store, asked).to == f"mailto:{ADA}"
    go(store, setup, NOW + 28 * DAY)
    assert ADA not in everything(store)
    assert confirm(store, asked.id, now=NOW + 29 * DAY).confirmed_at is None


def test_what_expired_is_erased_when_its_last_digest_is_out(store: Store, setup: Setup, box: Mailbox) -> None:
    setup = make_setup(smtp_url=box.url, retention_days=7)
    found = take(store, setup, expires=date(2025, 3, 4), every="weekly")
    assert erased_on(found, setup) == date(2025, 3, 12)
    see(store, NOW + timedelta(hours=2))
    go(store, setup, NOW + timedelta(hours=2))
    box.rule = lambda stage, address: "451 later"
    for days in range(2, 12):
        go(store, setup, NOW + days * DAY)
    assert of(store, found).to == f"mailto:{ADA}", "the digest of 10 March still waits"
    box.rule = lambda stage, address: None
    go(store, setup, NOW + 15 * DAY)
    assert len(box.of(ADA)) == 1
    go(store, setup, NOW + 16 * DAY)
    assert of(store, found).to == "erased:"


def test_bodies_of_messages_are_erased_and_can_be_made_anew(store: Store, setup: Setup) -> None:
    with fakes.receiver() as hook:
        request = Request(query="cocaine", to=hook.url(), name="hook")
        subscribe(store, request, setup=setup, now=NOW)
        see(store)
        go(store, setup, NOW)
        first = hook.calls[0].body
        go(store, setup, NOW + 27 * DAY)
        assert first.decode() in everything(store)
        go(store, setup, NOW + 28 * DAY)
        assert first.decode() not in everything(store)
        assert again.replay(store, "hook", now=NOW + 29 * DAY) == 1
        go(store, setup, NOW + 29 * DAY)
        assert [call.headers["webhook-id"] for call in hook.calls] == [
            hook.calls[0].headers["webhook-id"]
        ] * 2
        assert hook.calls[1].body == first


def test_who_bounced_and_is_forgotten_is_named_nowhere(store: Store, setup: Setup, box: Mailbox) -> None:
    """A mail server quotes the address when it refuses it, and that is kept as the reason in many places."""
    refused = take(store, setup, name="one of ada's")
    see(store)
    box.rule = lambda stage, address: f"550 5.1.1 <{ADA}>: no such user" if address == ADA else None
    go(store, setup, NOW)
    box.rule = lambda stage, address: None
    go(store, setup, NOW + timedelta(hours=1))
    lifecycle.resume(store, str(refused.id), now=NOW + DAY)
    told = f"Final-Recipient: rfc822; {ADA}\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 <{ADA}> unknown"
    report = (
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n"
        f"--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx\n\n{told}\n--b--\n"
    )
    assert bounces.take_bounces(store, report.encode(), now=NOW + DAY, setup=setup).paused
    go(store, setup, NOW + DAY + timedelta(hours=1))
    assert len(box.of("operator@example.org")) == 2
    assert ADA in everything(store)
    lifecycle.forget(store, f"mailto:{ADA}", now=NOW + 2 * DAY)
    left = everything(store)
    assert ADA not in left
    assert "ada's" not in left


def test_a_day_is_done_once(store: Store, setup: Setup) -> None:
    ended = take(store, setup)
    lifecycle.remove(store, str(ended.id), now=NOW)
    go(store, setup, NOW + 27 * DAY + timedelta(hours=1))
    later = make_setup(smtp_url=setup.smtp_url, retention_days=7)
    go(store, later, NOW + 27 * DAY + timedelta(hours=2))
    assert of(store, ended).to != "erased:"
    go(store, later, NOW + 28 * DAY)
    assert of(store, ended).to == "erased:"


def test_what_failed_is_not_sent_again_to_who_left(store: Store, setup: Setup, box: Mailbox) -> None:
    left, forgotten = take(store, setup), take(store, setup, BO)
    both = [take(store, setup, "cy@example.org", name=name) for name in ("one", "other")]
    see(store)
    box.rule = lambda stage, address: None if address == "operator@example.org" else "554 5.7.1 no"
    run(store, now=NOW, settings=setup)
    box.rule = lambda stage, address: None
    lifecycle.unsubscribe_all(store, left.to, now=NOW + DAY)
    lifecycle.forget(store, forgotten.to, now=NOW + DAY)
    lifecycle.remove(store, str(both[0].id), now=NOW + DAY)
    assert again.retry(store, now=NOW + DAY) == 1
    go(store, setup, NOW + DAY)
    (mail,) = box.taken
    assert mail[0] == "cy@example.org"
    text = mail[1].get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert "other" in text
    assert "Alert: one" not in text
    with store.read() as conn:
        assert sorted(row.state for row in ledger.listed(conn)) == ["dropped", "dropped", "dropped", "sent"]
