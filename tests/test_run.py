"""The run whole: what is heard becomes rows, rows become messages, each sent once; on both databases."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook

from alerts import lifecycle
from alerts.audit import audit
from alerts.query import parse
from alerts.run import RunReport, run
from alerts.setup import Setup
from alerts.subscriptions import Request, confirm, subscribe
from storage import ledger, messages, problems, subscriptions
from storage.ingest import ingest
from storage.ledger import Delivery
from storage.records import Content
from storage.store import Store
from storage.subscriptions import Subscription
from tests import fakes
from tests.fakes import NOW, Mailbox, Receiver, answered, make_content, make_setup, observation

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with fakes.mail_server() as server:
        yield server


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with fakes.receiver() as server:
        yield server


@pytest.fixture
def setup(box: Mailbox) -> Setup:
    return make_setup(smtp_url=box.url)


class World:
    """A store, what is seen, and who listens."""

    def __init__(self, store: Store, setup: Setup) -> None:
        self.store = store
        self.setup = setup

    def subscribe(self, query: str = "cocaine", at: datetime = NOW - DAY, **changes: Any) -> Subscription:
        values = {"to": "mailto:ada@example.org", "confirmed": True, **changes}
        return subscribe(self.store, Request(query=query, **values), setup=self.setup, now=at)

    def see(self, *contents: Content, at: datetime = NOW, backfilled: bool = False, **changes: Any) -> None:
        seen = [observation(content, at, **changes) for content in contents]
        ingest(self.store, seen, now=at, backfilled=backfilled)

    def run(self, at: datetime = NOW, **changes: Any) -> RunReport:
        return run(self.store, now=at, settings=self.setup, **changes)

    def ledger(self) -> list[Delivery]:
        with self.store.read() as conn:
            return list(reversed(ledger.listed(conn)))


@pytest.fixture
def world(store: Store, setup: Setup) -> World:
    return World(store, setup)


def rows(world: World) -> list[tuple[str, str, str]]:
    return [(row.event, row.kind, row.state) for row in world.ledger()]


def test_an_answer_is_told_once(world: World, box: Mailbox) -> None:
    world.subscribe(name="powder")
    world.see(answered())
    report = world.run()
    assert (report.changes, report.rows, report.sent, report.ok) == (1, 1, 1, True)
    assert rows(world) == [("v1", "answered", "sent")]
    ((to, message),) = box.taken
    assert to == "ada@example.org"
    assert message["Subject"] == "Answered: Drugs: Organised Crime (Home Office)"
    text = message.get_body(("plain",)).get_content()
    assert "Seizures of *cocaine* rose" in text
    assert "your alert “powder” (cocaine)" in text
    assert world.run().sent == 0
    world.see(answered(), at=NOW + HOUR)
    assert world.run(NOW + HOUR).changes == 0
    assert len(box.taken) == 1


def test_the_life_of_a_question(world: World, box: Mailbox) -> None:
    """Tabled, holding, final, corrected: four items of different titles, and nothing twice."""
    world.subscribe("lines", on=("tabled", "holding", "answered", "corrected"))
    content = make_content()
    world.see(content, at=NOW)
    holding = replace(
        content, holding_on=date(2025, 3, 3), answer_text="It will not be possible to answer in time."
    )
    world.see(holding, at=NOW + 3 * DAY)
    final = answered(holding, answered_on=date(2025, 3, 12))
    world.see(final, at=NOW + 9 * DAY)
    mended = replace(
        final, answer_text=str(final.answer_text).replace("1,200", "1,250"), corrected_on=date(2025, 3, 23)
    )
    world.see(mended, at=NOW + 20 * DAY)
    for day in range(22):
        world.run(NOW + day * DAY)
    subjects = [message["Subject"] for _, message in box.taken]
    assert [subject.partition(":")[0] for subject in subjects] == [
        "Tabled", "Holding answer", "Answered", "Corrected",
    ]  # fmt: skip
    final_text = box.taken[2][1].get_body(("plain",)).get_content()
    assert "this answer came 9 days later" in final_text
    last = box.taken[3][1]
    assert "[-1,200-]{+1,250+}" in last.get_body(("plain",)).get_content()
    html = last.get_body(("html",)).get_content()
    assert "<del>1,200</del>" in html.replace(" class", "  class").replace("  class", " class")
    assert "<ins>1,250</ins>" in html


def test_what_arrives_together_comes_in_one_message(world: World, box: Mailbox) -> None:
    world.subscribe()
    world.see(answered(), answered(make_content(uin="40000", heading="Prisons: Cocaine")))
    world.run()
    ((_, message),) = box.taken
    assert message["Subject"].startswith("2 items: Answered: Drugs: Organised Crime (Home Office)")


def test_several_subscriptions_of_one_address_share_an_item(world: World, box: Mailbox) -> None:
    for query in ("cocaine", "police", "lines"):
        world.subscribe(query, name=query)
    world.see(answered())
    assert world.run().sent == 1
    ((_, message),) = box.taken
    text = message.get_body(("plain",)).get_content()
    assert text.count("ANSWERED: ") == 1
    for name in ("cocaine", "police", "lines"):
        assert f"your alert “{name}”" in text
    assert len(world.ledger()) == 3
    assert len({row.message_id for row in world.ledger()}) == 1


def test_different_rhythms_are_different_messages(world: World, box: Mailbox) -> None:
    world.subscribe(name="now")
    world.subscribe(name="morning", every="daily")
    world.see(answered())
    assert world.run().sent == 1
    assert world.run(NOW + 21 * HOUR).sent == 0
    assert world.run(NOW + 22 * HOUR).sent == 1  # 07:00 the next day
    assert len(box.taken) == 2


def test_missed_slots_are_made_up_once(world: World, box: Mailbox) -> None:
    world.subscribe(every="daily")
    world.see(answered(), at=NOW)
    world.see(answered(make_content(uin="40000")), at=NOW + DAY)
    world.see(answered(make_content(uin="40001")), at=NOW + 2 * DAY)
    assert world.run(NOW + 2 * DAY + HOUR).sent == 1
    ((_, message),) = box.taken
    assert message["Subject"].startswith("2 items")
    assert world.run(NOW + 3 * DAY).sent == 1


def test_a_group_is_one_item_that_names_its_questions(world: World, box: Mailbox, hook: Receiver) -> None:
    world.subscribe(name="mail")
    world.subscribe(name="hook", to=hook.url())
    keys = [f"commons/2025-02-24/{uin}" for uin in ("34567", "34568", "34569")]
    world.see(
        *(
            answered(
                make_content(
                    uin=key.rpartition("/")[2],
                    grouped_with=tuple(other for other in keys if other != key),
                    question_text=f"To ask about cocaine, number {key[-1]}.",
                )
            )
            for key in keys
        )
    )
    world.run()
    ((_, message),) = box.taken
    text = message.get_body(("plain",)).get_content()
    assert text.count("ANSWERED: ") == 1
    assert message["Subject"] == "Answered: Drugs: Organised Crime (Home Office)"
    for key in keys:
        assert f"https://pqwatch.example/{key}" in text
    assert sorted(json.loads(call.body)["key"] for call in hook.calls) == keys


def test_only_the_kinds_asked_for(world: World) -> None:
    world.subscribe(on=("corrected",))
    world.see(answered())
    world.run()
    assert rows(world) == []


def test_removed_words_alert_too(world: World, box: Mailbox) -> None:
    world.subscribe()
    world.see(answered())
    world.run()
    world.see(answered(answer_text="The police closed 1,200 county lines in 2024."), at=NOW + DAY)
    world.run(NOW + DAY)
    assert rows(world) == [("v1", "answered", "sent"), ("v2", "edited", "sent")]
    assert (
        "What matched is no longer in the text: “cocaine”"
        in box.taken[1][1].get_body(("plain",)).get_content()
    )


def test_a_first_match_is_sent_as_the_state_of_the_question(world: World) -> None:
    world.subscribe("smuggling")
    world.see(answered(make_content(heading=None)))
    world.run()
    assert rows(world) == []
    world.see(answered(make_content(heading="Drugs: Smuggling")), at=NOW + DAY)
    world.run(NOW + DAY)
    assert rows(world) == [("v2", "answered", "sent")]
    world.see(answered(make_content(heading="Drugs")), at=NOW + 2 * DAY)
    world.see(answered(make_content(heading="Drugs: Smuggling")), at=NOW + 3 * DAY)
    world.run(NOW + 3 * DAY)
    assert rows(world) == [("v2", "answered", "sent")]  # a second time it is retitled, which nobody asked for


def test_who_came_later_hears_nothing_of_before(world: World) -> None:
    world.see(answered())
    world.subscribe(at=NOW + HOUR)
    world.run(NOW + HOUR)
    assert rows(world) == []


def test_overdue_is_told_once_and_not_to_who_came_after(world: World, box: Mailbox) -> None:
    world.subscribe("lines", on=("overdue",), name="early")
    world.see(make_content(named_day=True, due_on=date(2025, 3, 4)), at=NOW)
    world.run(NOW)
    world.subscribe("lines", on=("overdue",), name="late", at=NOW + 2 * DAY, to="mailto:bo@example.org")
    for day in range(1, 5):
        world.run(NOW + day * DAY)
    assert [(row.subscription, row.event, row.kind, row.version) for row in world.ledger()] == [
        ("early", "overdue:2025-03-04", "overdue", None)
    ]
    ((_, message),) = box.taken
    assert message["Subject"].startswith("Overdue: ")
    assert "An answer was due on 4 March 2025 and has not come." in message.get_body(("plain",)).get_content()


def test_backfilled_versions_are_never_sent_one_by_one(world: World, box: Mailbox) -> None:
    world.subscribe()
    world.see(answered(), backfilled=True)
    report = world.run()
    assert (report.changes, report.rows, box.taken) == (1, 0, [])


def test_pause_holds_and_resume_sends_one_summary(world: World, box: Mailbox) -> None:
    subscription = world.subscribe()
    lifecycle.pause(world.store, subscription.name, now=NOW)
    world.see(answered(), at=NOW + HOUR)
    world.run(NOW + HOUR)
    world.see(answered(make_content(uin="40000")), at=NOW + 2 * HOUR)
    world.run(NOW + 2 * HOUR)
    assert [row.state for row in world.ledger()] == ["held", "held"]
    assert box.taken == []
    lifecycle.resume(world.store, subscription.name, now=NOW + 3 * HOUR)
    world.run(NOW + 3 * HOUR)
    ((_, message),) = box.taken
    assert message["Subject"].startswith("While paused: 2 items")


def test_a_digest_is_not_sent_after_its_subscription_ended(world: World, box: Mailbox) -> None:
    world.subscribe(name="gone", every="daily")
    world.subscribe("police", name="stays", every="daily")
    world.see(answered())
    world.run()
    lifecycle.remove(world.store, "gone", now=NOW + HOUR)
    world.run(NOW + DAY)
    assert [(row.subscription, row.state) for row in world.ledger()] == [
        ("gone", "dropped"),
        ("stays", "sent"),
    ]
    ((_, message),) = box.taken
    assert "your alert “gone”" not in message.get_body(("plain",)).get_content()


def test_a_message_that_failed_once_is_made_anew_when_one_of_its_readers_left(
    world: World, box: Mailbox
) -> None:
    world.subscribe(name="gone")
    world.subscribe("police", name="stays")
    world.see(answered())
    box.rule = lambda stage, _to: "450 later" if stage == "data" else None
    assert world.run().retrying == 1
    box.rule = lambda _stage, _to: None
    lifecycle.remove(world.store, "gone", now=NOW)
    assert world.run(NOW + HOUR).sent == 1
    ((_, message),) = box.taken
    assert "your alert “gone”" not in message.get_body(("plain",)).get_content()


def test_an_unconfirmed_subscription_waits(world: World, box: Mailbox) -> None:
    subscription = world.subscribe(confirmed=False)
    world.see(answered())
    world.run()
    ((_, message),) = box.taken
    assert message["Subject"] == "Please confirm your alert from pqwatch"
    assert rows(world) == []
    confirm(world.store, subscription.id, now=NOW + HOUR)
    world.see(answered(make_content(uin="40000")), at=NOW + 2 * HOUR)
    world.run(NOW + 2 * HOUR)
    assert [row.key for row in world.ledger()] == ["commons/2025-02-24/40000"]


# --- failures -----------------------------------------------------------------------------------------------------


def test_one_bad_address_holds_up_nobody(world: World, box: Mailbox) -> None:
    for name in ("ada", "bad", "cid"):
        world.subscribe(name=name, to=f"mailto:{name}@example.org")
    box.rule = lambda stage, to: (
        "550 5.1.1 no such user" if (stage, to) == ("rcpt", "bad@example.org") else None
    )
    world.see(answered())
    report = world.run()
    assert report.sent == 2
    assert len(report.failed) == 1
    assert report.paused == ("bad",)
    assert not report.ok
    assert {row.subscription: row.state for row in world.ledger()} == {
        "ada": "sent",
        "bad": "failed",
        "cid": "sent",
    }


def test_a_message_is_tried_again_under_the_same_id(world: World, box: Mailbox) -> None:
    world.subscribe()
    world.see(answered())
    box.rule = lambda stage, _to: "taken, then dropped" if stage == "data" else None
    assert world.run().retrying == 1
    box.rule = lambda _stage, _to: None
    assert world.run(NOW + timedelta(seconds=30)).sent == 0  # the pause is not over
    assert world.run(NOW + timedelta(seconds=70)).sent == 1
    first, second = (message["Message-ID"] for _, message in box.taken)
    assert first == second
    assert box.raw[0] == box.raw[1]


def test_a_mail_server_that_is_away_costs_no_attempt(world: World, box: Mailbox) -> None:
    world.subscribe()
    world.subscribe(to="mailto:bo@example.org")
    world.see(answered())
    away = replace(world.setup, smtp_url=f"smtp://127.0.0.1:{fakes.silent_port()}")
    for minute in range(0, 200, 5):
        report = run(world.store, now=NOW + timedelta(minutes=minute), settings=away)
        assert "mail" in report.down
    assert {(row.state, row.attempts) for row in world.ledger()} == {("pending", 0)}
    assert world.run(NOW + DAY).sent == 2


def test_after_the_last_attempt_it_has_failed_for_good_and_can_be_sent_again(
    world: World, box: Mailbox
) -> None:
    world.subscribe()
    world.see(answered())
    box.rule = lambda stage, _to: "450 later" if stage == "data" else None
    now = NOW
    for _ in range(12):
        world.run(now)
        now += 2 * DAY
    (row,) = world.ledger()
    assert (row.state, row.attempts, row.error) == ("failed", 10, "450 later")
    box.rule = lambda _stage, _to: None
    with world.store.write() as conn:
        assert messages.revive(conn, [str(row.message_id)], now=now) == 1
    assert world.run(now).sent == 1
    assert rows(world) == [("v1", "answered", "sent")]


def test_a_webhook_keeps_the_order_also_while_one_is_retried(world: World, hook: Receiver) -> None:
    world.subscribe(to=hook.url())
    hook.rule = lambda _call: (503, {})
    world.see(answered(), at=NOW)
    world.run(NOW)
    world.see(answered(make_content(uin="40000")), at=NOW + timedelta(seconds=2))
    world.run(NOW + timedelta(seconds=2))
    assert len(hook.calls) == 1
    hook.rule = lambda _call: (200, {})
    world.run(NOW + timedelta(seconds=4))
    assert len(hook.calls) == 1
    world.run(NOW + timedelta(seconds=5))
    keys = [json.loads(call.body)["key"] for call in hook.calls]
    assert keys == ["commons/2025-02-24/34567"] * 2 + ["commons/2025-02-24/40000"]
    assert hook.calls[0].headers["webhook-id"] == hook.calls[1].headers["webhook-id"]


def test_a_webhook_is_retried_as_promised_then_paused_and_resumed(world: World, hook: Receiver) -> None:
    subscription = world.subscribe(to=hook.url(), name="hook")
    hook.rule = lambda _call: (500, {})
    world.see(answered(), answered(make_content(uin="40000")))
    at, made = NOW, []
    for pause in (0, 5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400):
        at += timedelta(seconds=pause)
        assert world.run(at - timedelta(seconds=1)).sent == 0
        before = len(hook.calls)
        report = world.run(at)
        made.append(len(hook.calls) - before)
    assert made == [1] * 10
    assert report.paused == ("hook",)
    assert [row.state for row in world.ledger()] == ["failed", "held"]
    hook.rule = lambda _call: (200, {})
    lifecycle.resume(world.store, "hook", now=at)
    assert world.run(at).sent == 1
    body = Webhook(str(subscription.secret)).verify(hook.calls[-1].body, hook.calls[-1].headers)
    assert body["key"] == "commons/2025-02-24/40000"


def test_a_webhook_names_the_topics(world: World, hook: Receiver) -> None:
    world.setup = replace(world.setup, topics={"drugs": parse("cocaine OR heroin"), "fish": parse("trout")})
    world.subscribe("topic:drugs", to=hook.url())
    world.see(answered())
    world.run()
    body = json.loads(hook.calls[0].body)
    assert body["topics"] == ["drugs"]
    assert body["matched"][0]["text"] == "cocaine"


def test_a_feed_only_subscription_is_served_by_its_row(world: World) -> None:
    world.subscribe(to="feed:")
    world.see(answered())
    assert world.run().sent == 0
    assert rows(world) == [("v1", "answered", "sent")]


def test_a_question_that_is_followed_is_heard_of_though_its_date_and_so_its_key_changed(world):
    world.see(make_content(), at=NOW - 2 * DAY)
    world.subscribe("commons/2025-02-24/34567", to="stdout:", name="followed")
    world.see(answered(make_content(tabled_on=date(2025, 2, 25))))
    assert world.run().sent == 1
    assert [(row.key, row.kind) for row in world.ledger()] == [("commons/2025-02-25/34567", "answered")]
    assert audit(world.store, world.setup, now=NOW, days=7).ok


def test_a_query_that_this_version_cannot_read_is_kept_marked_and_its_owner_told(
    world: World, box: Mailbox
) -> None:
    made = world.subscribe(name="drugs")
    with world.store.write() as conn:
        subscriptions.change(conn, [made.id], query="cocaine NEAR heroin", tree=["?"])
    world.see(answered())
    assert world.run().broken == ("drugs",)
    assert world.run().broken == ()  # it is marked, and told once
    (_, letter) = box.taken[0]
    assert letter["Subject"] == "Your alert drugs cannot be read any more"
    assert "column 13: expected a number after NEAR" in letter.get_body(("plain",)).get_content()
    with world.store.read() as conn:
        kept = subscriptions.by_id(conn, made.id)
        assert [each.kind for each in problems.open_problems(conn)] == ["broken"]
    assert (kept.query, kept.active) == ("cocaine NEAR heroin", True)
    assert "expected a number after NEAR" in str(kept.broken)
    with world.store.write() as conn:
        subscriptions.change(conn, [made.id], query="cocaine")  # as if a later version read it
    world.see(answered(answer_text="Cocaine again."), at=NOW + DAY)
    world.run(NOW + DAY)
    with world.store.read() as conn:
        assert (subscriptions.by_id(conn, made.id).broken, problems.open_problems(conn)) == (None, [])
    assert rows(world) == [("v2", "edited", "sent")]
    assert len(box.taken) == 2
