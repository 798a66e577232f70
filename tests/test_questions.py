"""Reading questions back: one, many, all."""

from __future__ import annotations

import tracemalloc
from datetime import date, timedelta

import pytest

from storage import questions
from storage.ingest import ingest
from storage.records import BadKeyError, State
from storage.schema import questions as table
from storage.store import Store
from tests.helpers import NOW, answered, at, content, corrected, feed_item, observation

KEY = "commons/2025-03-03/35566"


def test_find(store: Store) -> None:
    ingest(store, [observation(answered())], now=NOW)
    with store.read() as conn:
        record = questions.find(conn, f" {KEY.upper()} ")
        assert record is not None
        assert (record.key, record.number, record.state, record.versions) == (KEY, 1, State.ANSWERED, ())
        assert record.overdue_after == date(2025, 3, 10)
        (sighting,) = record.sources
        assert (sighting.source, sighting.source_id, sighting.first_seen) == ("parliament", "1835566", NOW)
        assert questions.find(conn, "commons/2025-03-03/1") is None
        with pytest.raises(BadKeyError):
            questions.find(conn, "35566")


def test_ids_of(store: Store) -> None:
    ingest(store, [observation(), observation(content(uin="2"))], now=NOW)
    with store.read() as conn:
        found = questions.ids_of(conn, ["COMMONS/2025-03-03/2", KEY, "commons/2025-03-03/3"])
        assert found == {"COMMONS/2025-03-03/2": 2, KEY: 1}
        assert [record.key for record in questions.newest(conn, [2, 9, 1])] == ["commons/2025-03-03/2", KEY]


def test_records_at_a_version(store: Store) -> None:
    shown = [content(), answered("Not held centrally."), corrected()]
    ingest(store, [observation(what, observed_at=at(day)) for day, what in enumerate(shown)], now=at(9))
    with store.read() as conn:
        found = questions.records(conn, [(1, 1), (1, 2), (1, 3), (1, 4), (2, 1)])
    assert sorted(found) == [(1, 1), (1, 2), (1, 3)]
    assert [found[1, n].state.value for n in (1, 2, 3)] == ["tabled", "answered", "corrected"]
    assert [found[1, n].ever_corrected for n in (1, 2, 3)] == [False, False, True]
    assert [found[1, n].pro_forma for n in (1, 2, 3)] == [False, True, False]
    assert all(record.overdue_after == date(2025, 3, 10) for record in found.values())


def test_versions_come_with_the_record_when_asked_for(store: Store) -> None:
    ingest(store, [observation(), observation(answered(), observed_at=at(1))], now=at(1))
    with store.read() as conn:
        record = questions.find(conn, KEY, versions=True)
    assert record is not None
    assert [(version.number, version.kind.value) for version in record.versions] == [
        (1, "tabled"),
        (2, "answered"),
    ]
    assert record.versions[1].content == record.content


def test_mentions_lead_to_present_keys_both_ways(store: Store) -> None:
    speaking = content(
        uin="40000",
        tabled_on=date(2025, 3, 10),
        question_text="To ask, pursuant to the Answer of 7 March 2025 to Question 35566, how much.",
    )
    ingest(store, [observation(answered()), observation(speaking)], now=NOW)
    ingest(store, [feed_item(links=(KEY,))], now=NOW)
    ingest(store, [observation(answered(tabled_on=date(2025, 3, 4)), observed_at=at(1))], now=at(1))
    with store.read() as conn:
        spoken_of = questions.find(conn, KEY)
        speaker = questions.find(conn, "commons/2025-03-10/40000")
        post = questions.find(conn, "feed/example.org/0123456789abcdef")
    assert spoken_of is not None
    assert speaker is not None
    assert post is not None
    assert spoken_of.mentioned_by == ("commons/2025-03-10/40000", "feed/example.org/0123456789abcdef")
    assert speaker.mentions == post.mentions == ("commons/2025-03-04/35566",)


def test_iterate_in_the_order_of_events(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions, "CHUNK", 3)
    shown = [answered(uin=str(n), answered_on=date(2025, 3, 10) + timedelta(days=n % 4)) for n in range(1, 9)]
    ingest(store, [observation(each) for each in shown], now=NOW)
    with store.read() as conn:
        uins = [record.content.uin for record in questions.iterate(conn)]
        assert uins == ["7", "3", "6", "2", "5", "1", "8", "4"]
        assert [r.content.uin for r in questions.iterate(conn, newest_first=False)] == uins[::-1]
        some = questions.iterate(conn, table.c.answered_on > date(2025, 3, 12), versions=True)
        assert [(r.content.uin, len(r.versions)) for r in some] == [("7", 1), ("3", 1)]


def test_iterate_keeps_memory_flat(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions, "CHUNK", 20)
    text = "words " * 5_000
    ingest(store, [observation(answered(text, answer_html=None, uin=str(n))) for n in range(1, 301)], now=NOW)
    tracemalloc.start()
    with store.read() as conn:
        assert sum(1 for _ in questions.iterate(conn)) == 300
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 300 * len(text) / 2  # and a chunk of twenty is a fifteenth
