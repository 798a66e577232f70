"""The self-audit: what it finds, and that on a month of real questions it finds nothing while a slow recomputation agrees."""

from __future__ import annotations

import importlib.util
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import delete, update

from alerts import lifecycle
from alerts.audit import audit, keep
from alerts.query import parse
from alerts.run import run
from alerts.subscriptions import Request, subscribe
from alerts.tree import Node
from scraper.source import Page
from scraper.spiders import parliament
from storage import ledger, messages, runs
from storage import subscriptions as rows
from storage.ingest import ingest
from storage.problems import open_problems
from storage.questions import iterate
from storage.records import Kind, Observation, Record
from storage.schema import changes, deliveries
from storage.store import Store, open_store
from storage.subscriptions import Subscription
from tests import pages, reference
from tests.fakes import NOW, answered, make_content, make_setup, observation
from tests.helpers import shared

SETUP = make_setup()
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def take(store: Store, query: str = "cocaine", at: datetime = NOW - DAY, **changes_: Any) -> Subscription:
    return subscribe(store, Request(query=query, **{"to": "feed:", **changes_}), setup=SETUP, now=at)


def see(store: Store, content: Any, at: datetime = NOW) -> None:
    ingest(store, [observation(content, at)], now=at)


def go(store: Store, at: datetime) -> None:
    run(store, now=at, settings=SETUP)


def test_nothing_is_missing_after_a_quiet_week(store: Store) -> None:
    take(store, name="now")
    paused = take(store, name="paused")
    lifecycle.pause(store, "paused", now=NOW)
    take(store, name="gone")
    take(store, "lines", name="late", on=("overdue", "tabled"))
    take(store, "lines", name="gone before it was late", on=("overdue",))
    see(store, make_content(named_day=True), NOW)
    go(store, NOW)
    for name in ("gone", "gone before it was late"):
        lifecycle.remove(store, name, now=NOW + HOUR)
    go(store, NOW + DAY)
    see(store, answered(), NOW + 2 * DAY)
    see(store, answered(make_content(uin="40000")), NOW + 2 * DAY)  # not looked at yet
    report = audit(store, SETUP, days=7, now=NOW + 2 * DAY)
    assert (report.ok, report.checked) == (True, 2)
    go(store, NOW + 2 * DAY)
    report = audit(store, SETUP, days=7, now=NOW + 2 * DAY + HOUR)
    assert (report.ok, report.checked) == (True, 6)
    assert paused.id


def test_a_lost_row_a_lost_change_and_a_stray_row_are_found(store: Store) -> None:
    take(store, name="a")
    take(store, "fentanyl", name="b")
    see(store, answered(), NOW)
    see(store, answered(make_content(uin="40000")), NOW)
    go(store, NOW)
    with store.write() as conn:
        lost, stray = ledger.listed(conn)
        conn.execute(delete(deliveries).where(deliveries.c.id == lost.id))
        conn.execute(delete(changes).where(changes.c.question_id == lost.question_id))
        other = rows.find(conn, "b").id
        conn.execute(update(deliveries).where(deliveries.c.id == stray.id).values(subscription_id=other))
    shape = audit(store, SETUP, days=7, now=NOW + HOUR).shape()
    assert shape["checked"] == 2
    assert [(d["subscription"]["name"], d["key"], d["event"]) for d in shape["missing"]] == [
        ("a", stray.key, "v1"),
        ("a", lost.key, "v1"),
    ]
    assert [(d["subscription"]["name"], d["key"]) for d in shape["unexpected"]] == [("b", stray.key)]


def test_a_difference_is_a_problem_until_an_audit_finds_none(store: Store) -> None:
    operator = make_setup(contact="operator@example.org")
    take(store)
    see(store, answered())
    go(store, NOW)

    def look(at: datetime) -> list[str]:
        keep(store, operator, audit(store, operator, days=7, now=at), began=at, now=at)
        with store.read() as conn:
            assert runs.last_attempt(conn, "audit", None) == at
            return [problem.message for problem in open_problems(conn) if problem.kind == "audit"]

    assert look(NOW + HOUR) == []
    with store.write() as conn:
        conn.execute(delete(deliveries))
    found = look(NOW + 2 * HOUR)
    assert found == [
        "the ledger is not what should have been sent: 1 missing, 0 unexpected; `pqwatch audit` names them"
    ]
    assert look(NOW + 3 * HOUR) == found
    with store.read() as conn:
        assert messages.counts(conn) == {"pending": 1}, "the operator is told once"
    with store.write() as conn:
        conn.execute(update(changes).values(done_at=None))
    go(store, NOW + 4 * HOUR)
    assert look(NOW + 5 * HOUR) == []


def test_what_is_due_and_in_no_message_is_missing(store: Store, tmp_path: Any) -> None:
    take(store, to=tmp_path.as_uri())
    see(store, answered(), NOW)
    run(store, now=NOW, settings=SETUP, send=False)
    assert audit(store, SETUP, days=7, now=NOW + HOUR / 2).ok
    assert len(audit(store, SETUP, days=7, now=NOW + 2 * HOUR).missing) == 1


def test_only_the_days_asked_for(store: Store) -> None:
    take(store)
    see(store, answered(), NOW)
    go(store, NOW)
    assert audit(store, SETUP, days=1, now=NOW + 2 * DAY).checked == 0


# --- a month of real questions ------------------------------------------------------------------------------------

MONTH = "2025-09"


@pytest.fixture(scope="session")
def month() -> list[tuple[datetime, list[Observation]]]:
    """What the official detail pages showed, night by night."""
    archive = _module().Archive(str(shared("samples", "parliament")), 60)
    steps = [step for step in archive.steps if step[:7] == MONTH]
    return [
        (_utc(step), list(_seen(archive, step, before)))
        for before, step in zip(["", *steps], steps, strict=False)
    ]


def _module() -> ModuleType:
    path = shared("tools", "parliament_archive.py")
    spec = importlib.util.spec_from_file_location("parliament_archive", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault(spec.name, module)
    spec.loader.exec_module(module)
    return module


def _utc(step: str) -> datetime:
    return datetime.fromisoformat(step).replace(tzinfo=UTC)


def _seen(archive: Any, step: str, before: str) -> Iterator[Observation]:
    """What differs from the step before."""
    for question in archive.questions.values():
        new = question.at(step)
        if (
            question.month != MONTH
            or new < 0
            or (new == question.at(before) and not before < question.gone <= step)
        ):
            continue
        value, *_ = archive.detail(question, new, step)
        page = pages.detail_page(archive.expand(value))
        parsed = parliament.parse(Page(page.url, 200, {}, page.body, _utc(step), page.ref))
        yield from parsed.observations


WORDS = (
    "drugs", "police", "prison*", "health", "schools", "housing", "fraud", "crime", "gang*", "border", "NHS", "children",
    '"organised crime"', '"mental health"', '"to ask the Secretary of State for Defence"', "=AI", "immigration", "tax*",
)  # fmt: skip
FILTERS = (
    'dept:"Home Office"',
    "dept:health",
    "party:labour",
    "named-day:yes",
    "NOT scotland",
    "NOT answer:holding",
    "",
)
ON = (
    (),
    (),
    ("tabled", "answered"),
    ("holding",),
    ("edited", "corrected", "retitled"),
    ("overdue",),
    tuple(Kind),
)


def subscribe_many(store: Store, starts: Sequence[datetime], count: int = 200) -> None:
    chance = random.Random(7)
    for number in range(count):
        words = chance.sample(WORDS, 2)
        shape = chance.choice(
            ["{0}", "{0} OR {1}", "{0} {1}", "question:({0} OR {1})", "answer:{0}", "title:{0}"]
        )
        query = f"({shape.format(*words)}) {chance.choice(FILTERS)}".strip()
        take(store, query, at=chance.choice(starts), on=chance.choice(ON), name=f"s{number}")


def play(store: Store, month: Any, keep: Any = None, leaving: int = 0) -> datetime:
    """Crawls and runs night by night; the first night is the first crawl. Half-way so many end, and as many pause."""
    nights = [at for at, _ in month]
    subscribe_many(store, [nights[0] - DAY, nights[len(nights) // 2] + HOUR])
    for number, (at, seen) in enumerate(month):
        wanted = [each for each in seen if keep is None or each.key in keep]
        ingest(store, wanted, now=at, backfilled=number == 0)
        run(store, now=at + HOUR / 2, settings=SETUP)
        for each in range(leaving if number == len(month) // 2 else 0):
            lifecycle.remove(store, f"s{each}", now=at + HOUR)
            lifecycle.pause(store, f"s{leaving + each}", now=at + HOUR)
    return nights[-1] + HOUR


@pytest.mark.slow
def test_a_month_of_real_questions_leaves_no_difference(store: Store, month: Any) -> None:
    """All of its questions on SQLite, a quarter of them on PostgreSQL."""
    keys = sorted({each.key for _, seen in month for each in seen})
    keep = set(keys if store.dialect == "sqlite" else keys[::4])
    end = play(store, month, keep, leaving=20)
    report = audit(store, SETUP, days=60, now=end)
    assert (report.missing, report.unexpected) == ((), ())
    assert report.checked > (1000 if store.dialect == "sqlite" else 250)


@pytest.mark.slow
def test_a_slow_recomputation_agrees(sqlite_url: str, month: Any) -> None:
    """Straight from the words of the interface, question by question, with the plain matcher of the tests."""
    store = open_store(sqlite_url)
    touched: dict[str, int] = {}
    for _, seen in month:
        for each in seen:
            touched[each.key] = touched.get(each.key, 0) + 1
    most = sorted(touched, key=lambda key: (-touched[key], key))
    keep = {*most[:120], *most[-60:]}
    end = play(store, month, keep)
    with store.read() as conn:
        everyone = rows.every(conn)
        records = list(iterate(conn, versions=True))
        told = {(r.subscription, r.key, r.event) for r in ledger.listed(conn)}
        told = {row for row in told if not row[2].startswith("overdue:")}
    expected = {
        (subscription.name, record.key, event)
        for subscription in everyone
        for record in records
        for event in heard(subscription, record)
    }
    assert told == expected
    assert len(told) > 100
    assert audit(store, SETUP, days=60, now=end).ok


@cache
def tree_of(query: str) -> Node:
    return parse(query).tree


def heard(subscription: Subscription, record: Record) -> Iterator[str]:
    """The events of a question that a subscription hears, overdue days left out."""
    tree = tree_of(subscription.query)
    before: list[bool] = []
    for version in record.versions:
        day = version.observed_at.astimezone(SETUP.zone).date()
        then = replace(record, content=version.content, number=version.number)
        now_matching = reference.holds(tree, then, day)
        kinds = [str(kind) for kind in version.kinds]
        if now_matching and not any(before):
            kinds = [str(version.content.state), *(["answered"] if "answered" in kinds else [])]
        matching = now_matching or (bool(before) and before[-1])
        before.append(now_matching)
        begun = subscription.begins_at is not None and subscription.begins_at <= version.observed_at
        silent = version.backfilled or version.reconstructed or version.kinds == (Kind.REPARSED,)
        if matching and begun and not silent and set(kinds) & set(subscription.on):
            yield f"v{version.number}"


def test_the_month_is_one_of_real_questions(month: Any) -> None:
    assert sum(len(seen) for _, seen in month) > 3000
    assert date(2025, 9, 1) <= month[0][0].date()
