"""A preview equals the alerts that would have been sent, and says what brings them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from alerts import preview as look_back
from alerts.audience import Audience
from alerts.errors import AlertsError
from alerts.matching import match_changes
from alerts.query import parse
from alerts.setup import Setup
from alerts.subscriptions import Request, subscribe
from pqwatch.cli.entry import run
from storage import ledger
from storage.ingest import ingest
from storage.records import Body
from storage.store import Store
from tests.helpers import answered, content, corrected, holding, observation

START = datetime(2025, 3, 1, 9, tzinfo=UTC)
NOW = datetime(2025, 5, 20, 9, tzinfo=UTC)
SETUP = Setup(secret="s")

QUERIES = [
    "cocaine",
    "heroin OR cocaine",
    "seizure NOT opium",
    "state:holding",
    "holding-answer OR possible",
    '"four tonnes"',
    "cocaine NEAR/3 seized",
    "is:corrected",
    "heading:drugs",
    "=Four",
]


def see(store: Store, days: float, *whats, **options) -> None:
    when = START + timedelta(days=days)
    ingest(store, [observation(what, observed_at=when) for what in whats], now=when, **options)


OPIUM = "how much opium was seized"
SPRING = (
    (3, (content(), content(uin="2", question_text=OPIUM), content(uin="3", question_text="tobacco"))),
    (5, (holding(), content(uin="2", question_text=OPIUM, heading="Drugs"))),
    (9, (answered(), answered("A seizure of opium.", uin="2", question_text=OPIUM, heading="Drugs"))),
    (
        12,
        (answered("Four tonnes of heroin were seized."), answered("None.", uin="3", question_text="tobacco")),
    ),
    (30, (corrected("Five tonnes were seized."), content(uin="4", question_text="heroin", heading="Drugs"))),
    (40, (answered("Cocaine.", uin="4", question_text="heroin", heading="Drugs"),)),
    (50, (answered("Heroin.", uin="4", question_text="heroin", heading="Drugs: Smuggling"),)),
    (60, (content(uin="5", withdrawn=True),)),
)
"""Questions that are tabled, held open, answered, edited, corrected, retitled and withdrawn."""


def a_spring(store: Store) -> None:
    for day, whats in SPRING:
        see(store, day, *whats)


KINDS = ("", "holding,tabled,retitled", "answered", "withdrawn,corrected")


def test_a_preview_equals_the_alerts(store):
    asked = [(text, look_back.kinds_named(on)) for text in QUERIES for on in KINDS]
    for number, (text, kinds) in enumerate(asked):
        request = Request(query=text, to="file:///nowhere", on=kinds, name=f"reader {number}")
        subscribe(store, request, setup=SETUP, now=START)
    a_spring(store)
    match_changes(store, Audience(SETUP), SETUP, now=NOW)
    with store.read() as conn:
        rows = ledger.listed(conn)
        for number, (text, kinds) in enumerate(asked):
            sent = sorted(
                (row.key, row.event, row.kind) for row in rows if row.subscription == f"reader {number}"
            )
            found = look_back.preview(conn, parse(text), SETUP, now=NOW, on=kinds)
            events, _ = look_back._Asked(
                conn, parse(text), SETUP, NOW, frozenset(kinds or look_back.DEFAULT_ON)
            ).events(START.date(), 1_000)
            heard = sorted((each.record.key, f"v{each.record.number}", each.kind) for each in events)
            assert heard == sent, (text, kinds)
            assert (found.hits, len(found.samples)) == (len(sent), min(10, len(sent))), (text, kinds)


LATE = ("cocaine", "heroin", "is:overdue", "state:tabled OR answer:none", "tobacco")


def test_overdue_days_are_those_that_alerts_told(store):
    on = look_back.kinds_named("overdue,answered")
    for text in LATE:
        subscribe(
            store, Request(query=text, to="file:///nowhere", on=on, name=f"on {text}"), setup=SETUP, now=START
        )
    audience, planned = Audience(SETUP), dict(SPRING)
    for day in range(81):
        see(store, day, *planned.get(day, ()))
        match_changes(store, audience, SETUP, now=START + timedelta(days=day, hours=3))
    with store.read() as conn:
        rows = ledger.listed(conn)
        for text in LATE:
            mine = [row for row in rows if row.subscription == f"on {text}"]
            told = sorted((row.key, row.kind, str(row.created_at.date())) for row in mine)
            found = look_back.preview(conn, parse(text), SETUP, now=NOW, on=on)
            asked = look_back._Asked(conn, parse(text), SETUP, NOW, frozenset(on))
            events, _ = asked.events(START.date(), 1_000)
            assert sorted((each.record.key, each.kind, str(each.day)) for each in events) == told, text
            assert ("overdue" in {row.kind for row in mine}) is (text != "cocaine")
            assert found.hits == len(told), text


def test_a_question_backfilled_with_its_late_answer_was_overdue(store):
    late = answered(answered_on=date(2025, 4, 7))
    in_time = answered(uin="2", answered_on=date(2025, 3, 10))
    ingest(
        store,
        [observation(late, observed_at=NOW), observation(in_time, observed_at=NOW)],
        now=NOW,
        backfilled=True,
    )
    with store.read() as conn:
        found = look_back.preview(conn, parse("cocaine NOT tonnes"), SETUP, now=NOW, months=3, on=["overdue"])
    assert found.months == (("2025-03", 1), ("2025-04", 0), ("2025-05", 0))
    assert [(each.kind, each.day, each.record.state) for each in found.samples] == [
        ("overdue", date(2025, 3, 11), "tabled")
    ]


def test_what_is_open_since_long_ago_and_became_overdue_lately_counts(store):
    ingest(store, [observation(content(due_on=date(2025, 4, 1)), observed_at=START)], now=START)
    with store.read() as conn:
        found = look_back.preview(conn, parse("cocaine"), SETUP, now=NOW, months=2, on=["overdue"])
    assert [each.day for each in found.samples] == [date(2025, 4, 8)]


def test_what_was_backfilled_counts_on_its_own_day(store):
    old = replace(answered(), answered_on=date(2025, 4, 7))
    ingest(store, [observation(old, observed_at=NOW)], now=NOW, backfilled=True)
    with store.read() as conn:
        found = look_back.preview(conn, parse("cocaine"), SETUP, now=NOW, months=3)
    assert found.months == (("2025-03", 0), ("2025-04", 1), ("2025-05", 0))
    assert found.messages_a_week == pytest.approx(7 / 44, abs=0.01)


def test_an_old_answer_that_was_edited_lately_counts(store):
    long_ago = answered(tabled_on=date(2019, 3, 3), answered_on=date(2019, 3, 7))
    ingest(store, [observation(long_ago, observed_at=START)], now=START, backfilled=True)
    edited = replace(
        long_ago, answer_text="Nine tonnes were seized.", answer_html="<p>Nine tonnes were seized.</p>"
    )
    see(store, 60, edited)
    with store.read() as conn:
        found = look_back.preview(conn, parse("four"), SETUP, now=NOW, months=2)
    assert [each.kind for each in found.samples] == ["edited"]
    assert found.months == (("2025-04", 1), ("2025-05", 0))


def test_old_questions_that_changed_lately_do_not_shorten_a_preview(store, monkeypatch):
    monkeypatch.setattr(look_back, "MOST_QUESTIONS", 2)
    long_ago = [
        answered(uin=str(n), tabled_on=date(2019, 3, 3), answered_on=date(2019, 3, 7)) for n in range(3)
    ]
    ingest(store, [observation(each, observed_at=START) for each in long_ago], now=START, backfilled=True)
    see(store, 60, *(replace(each, answer_text="Nine tonnes.") for each in long_ago))
    with store.read() as conn:
        found = look_back.preview(conn, parse("cocaine OR four"), SETUP, now=NOW, months=2)
    assert found.months == (("2025-04", 3), ("2025-05", 0))


def test_a_group_is_one_item(store):
    together = ("commons/2025-03-03/1", "commons/2025-03-03/2")
    see(store, 9, *(answered(uin=str(n + 1), grouped_with=(together[1 - n],)) for n in (0, 1)))
    with store.read() as conn:
        found = look_back.preview(conn, parse("cocaine"), SETUP, now=NOW)
    assert (found.hits, found.items) == (2, 1)


def test_words_say_what_brings_the_hits(store):
    see(
        store,
        9,
        answered("heroin", uin="1"),
        answered("opium", uin="2"),
        answered("heroin and opium", uin="3"),
    )
    with store.read() as conn:
        found = look_back.preview(conn, parse("(heroin OR opium) -crack question:cocaine"), SETUP, now=NOW)
    told = {each.word: (each.hits, each.only) for each in found.words}
    assert told == {"heroin": (2, 1), "opium": (2, 1), "question:cocaine": (3, 3)}


def test_a_not_that_would_save_much_is_proposed(store):
    health = Body("Department of Health and Social Care", 17)
    see(
        store, 9, *(answered(uin=str(n), heading="Cancer: Drugs", answering_body=health) for n in range(1, 6))
    )
    see(store, 9, *(answered(uin=str(n), heading=f"Drugs {n}") for n in range(6, 9)))
    with store.read() as conn:
        found = look_back.preview(conn, parse("cocaine"), SETUP, now=NOW)
        narrower = look_back.preview(conn, parse(f"cocaine {found.suggestions[0].text}"), SETUP, now=NOW)
    assert found.suggestions[0].hits == 5
    assert {each.text for each in found.suggestions} >= {'NOT heading:"Cancer: Drugs"'}
    assert narrower.hits == found.hits - 5


def test_an_estimate_is_items_a_day_since_there_is_an_archive(store):
    for day in range(70):
        see(store, day, *(answered(uin=str(day * 10 + n), tabled_on=START.date()) for n in range(3)))
    now = START + timedelta(days=69)
    with store.read() as conn:
        a_day = look_back.estimate(conn, parse("cocaine"), frozenset(look_back.DEFAULT_ON), SETUP, now=now)
        lately = look_back.lately(conn, parse("cocaine"), frozenset(look_back.DEFAULT_ON), SETUP, now=now)
    assert a_day == pytest.approx(3, rel=0.1)
    assert len(lately) == 3 * 14


def test_a_few_old_corrections_do_not_hide_a_flood_after_a_first_crawl(store):
    old = [
        corrected(uin=str(n), tabled_on=date(2024, 11, 5), answered_on=date(2024, 11, 8), corrected_on=None)
        for n in (1, 2)
    ]
    new = [answered(uin=str(n), tabled_on=START.date(), answered_on=START.date()) for n in range(100, 500)]
    see(store, 1, *old, *new, backfilled=True)
    with store.read() as conn:
        now = START + timedelta(days=4)
        a_day = look_back.estimate(conn, parse("cocaine"), frozenset({"answered"}), SETUP, now=now)
        found = look_back.preview(conn, parse("cocaine"), SETUP, now=now)
    assert a_day == pytest.approx(80, rel=0.1)
    assert found.messages_a_week == pytest.approx(560, rel=0.1)


def test_kinds_that_are_none_are_named():
    assert look_back.kinds_named(" edited, overdue") == ("edited", "overdue")
    with pytest.raises(AlertsError, match="on 'eddited': expected some of"):
        look_back.kinds_named("eddited")


def test_the_commands_print_the_shapes(sqlite_url, store_at, capsys):
    a_spring(store_at(sqlite_url))
    told = ["--database", sqlite_url, "--now", "2025-05-20T09:00Z"]
    assert run([*told, "search", "cocaine", "--json", "--facets"]) == 0
    page = json.loads(capsys.readouterr().out)
    assert page["total"] == len(page["items"])
    assert page["items"][0]["key"].startswith("commons/2025-03-03/")
    assert "versions" not in page["items"][0]
    assert page["facets"]["department"] == [{"value": "Home Office", "hits": page["total"]}]
    assert run([*told, "preview", "cocaine", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found)[:1] == ["query"]
    assert {"query", "months", "messages_a_week", "samples", "words"} <= set(found)
    assert len(found["months"]) == 12
    assert sum(month["hits"] for month in found["months"]) == len(found["samples"])
    assert found["samples"][0]["matched"][0].keys() == {"part", "text", "start", "end"}
    assert run([*told, "search", "cocaine"]) == 0
    assert "*cocaine*" in capsys.readouterr().out
    assert run([*told, "preview", "cocaine"]) == 0
    assert "what brings the hits" in capsys.readouterr().out
    assert run([*told, "search", "cocaine NEAR/"]) == 2
    assert "column 14" in capsys.readouterr().err


@pytest.fixture
def store_at():
    from storage.store import open_store

    opened = []

    def open_at(url):
        opened.append(open_store(url))
        return opened[-1]

    yield open_at
    for each in opened:
        each.close()
