"""Searching what was stored: pages, counts, facets, fields, limits of the databases, and making the index anew."""

from __future__ import annotations

import hashlib
from datetime import date, timedelta

import pytest
from sqlalchemy import select, text, update

from alerts import search as archive
from alerts.query import parse
from alerts.search import CursorError
from storage import search as index
from storage import search_index, search_postgresql
from storage.ingest import ingest
from storage.records import Body, House, Member
from storage.schema import meta, questions, searched
from storage.search_rows import LAYOUT, Basis, index_row
from storage.search_terms import Token
from storage.store import StorageError, Store
from tests import helpers
from tests.helpers import NOW, answered, at, content, corrected, observation

TODAY = date(2025, 3, 10)


def stored(store: Store, *whats, now=NOW, **fields):
    ingest(store, [observation(what, **fields) for what in whats], now=now)


def question(number: int, words: str = "cocaine", **fields):
    """Questions in the order of their numbers: each is tabled a day after the one before."""
    day = date(2025, 1, 1) + timedelta(days=number)
    given = {"uin": str(number), "tabled_on": day, "question_text": words, **fields}
    return content(**given)


def keys(store: Store, query: str, **options) -> list[str]:
    with store.read() as conn:
        page = archive.search(conn, parse(query), today=TODAY, limit=1_000, **options)
    assert page.total == len(page.items)
    assert not page.about
    return [item.record.content.uin or "" for item in page.items]


def test_pages_neither_skip_nor_repeat_while_questions_arrive(store):
    stored(store, *(question(number) for number in range(1, 31)))
    seen, after = [], None
    for arriving in range(31, 100):
        with store.read() as conn:
            page = archive.search(conn, parse("cocaine"), today=TODAY, limit=4, after=after)
        seen += [item.record.content.uin for item in page.items]
        stored(store, question(arriving))
        after = page.next
        if after is None:
            break
    assert seen == [str(number) for number in range(30, 0, -1)]


def test_pages_by_relevance_show_each_once(store):
    stored(
        store, *(question(number, "cocaine " * (number % 5 + 1) + "of " * number) for number in range(1, 31))
    )
    seen, after = [], None
    while True:
        with store.read() as conn:
            page = archive.search(conn, parse("cocaine"), today=TODAY, limit=7, after=after, sort="relevance")
        seen += [item.record.content.uin for item in page.items]
        stored(store, question(100 + len(seen)))
        after = page.next
        if after is None:
            break
    assert sorted(seen, key=int) == [str(number) for number in range(1, 31)]
    assert seen != sorted(seen, key=int, reverse=True)


@pytest.mark.parametrize(
    ("after", "sort"), [("x", "date"), ("1.5", "date"), ("7", "relevance"), ("²", "date")]
)
def test_a_foreign_cursor_is_refused(store, after, sort):
    with store.read() as conn, pytest.raises(CursorError, match="is no cursor"):
        archive.search(conn, parse("cocaine"), today=TODAY, after=after, sort=sort)


def test_an_edit_moves_what_is_found(store):
    stored(store, question(1, "smuggling of heroin"))
    stored(store, question(1, "seizures of opium"), observed_at=at(1), now=at(1))
    assert keys(store, "heroin") == []
    assert keys(store, "opium seizure") == ["1"]
    stored(
        store,
        answered(uin="1", tabled_on=date(2025, 1, 2), question_text="seizures of opium"),
        now=at(2),
        observed_at=at(2),
    )
    assert keys(store, "opium answered:2025-03-07 state:answered") == ["1"]
    assert keys(store, "state:tabled") == []


def test_a_prefix_finds_words_and_never_fields(store):
    stored(store, question(1, "the departments answered housing questions"), question(2, "lines"))
    assert keys(store, "depart*") == ["1"]
    assert keys(store, "hous*") == ["1"]
    assert keys(store, "stat*") == []
    assert keys(store, "al*") == []


def test_what_the_index_cannot_tell_is_looked_at_also_under_not(store):
    near, far = "heroin and opium", "heroin from over there, and also opium"
    stored(store, question(1, near), question(2, far), question(3, "HEROIN"), question(4, "tobacco"))
    assert keys(store, "heroin NEAR/2 opium") == ["1"]
    assert keys(store, "heroin NOT (heroin NEAR/2 opium)") == ["3", "2"]
    assert keys(store, "heroin NOT =HEROIN") == ["2", "1"]
    assert keys(store, "heroin NOT source:parliament") == []
    assert keys(store, "tobacco OR (opium NOT (NOT (heroin NEAR/2 opium)))") == ["4", "1"]


def test_a_department_is_found_by_former_names(store):
    body = Body("Ministry of Housing, Communities and Local Government", 7)
    stored(store, question(1, answering_body=body), question(2))
    assert keys(store, 'department:"levelling up"') == ["1"]
    assert keys(store, "dept:home-office") == ["2"]


def test_overdue_follows_the_day(store):
    stored(store, question(1, named_day=True, due_on=date(2025, 3, 7)), question(2, due_on=date(2025, 4, 7)))
    assert keys(store, "is:overdue") == ["1"]
    with store.read() as conn:
        before = archive.search(conn, parse("is:overdue"), today=date(2025, 3, 7))
    assert before.items == ()


def test_a_source_that_confirms_later_is_found(store):
    stored(store, question(1))
    stored(store, question(1), source="theyworkforyou", source_id="x", now=at(1), observed_at=at(1))
    assert keys(store, "source:theyworkforyou") == ["1"]
    assert keys(store, "source:parliament") == ["1"]
    assert keys(store, "source:feeds") == []


def test_feed_items_are_found_by_source_and_text(store):
    ingest(store, [helpers.feed_item("Two tonnes of cocaine.")], now=NOW)
    stored(store, question(1))
    with store.read() as conn:
        found = archive.search(conn, parse("source:feeds cocaine"), today=TODAY)
    assert [item.record.key for item in found.items] == ["feed/example.org/0123456789abcdef"]


def test_former_keys_are_found(store):
    stored(store, question(1))
    with store.write() as conn:
        number = conn.execute(select(questions.c.id)).scalar_one()
        held = conn.execute(select(searched.c.sort_key)).scalar_one()
        search_index.forget(conn, [held])
        conn.execute(
            text("INSERT INTO aliases (key, question_id) VALUES ('commons/2024-12-30/1', :id)"),
            {"id": number},
        )
    with store.write() as conn:
        search_index._start_again(conn)
    search_index.reindex(store)
    assert keys(store, "key:commons/2024-12-30/1") == ["1"]
    assert keys(store, "key:commons/2025-01-02/1") == ["1"]


def test_a_question_that_proved_to_be_another_is_not_found_twice(store):
    first, second = content(uin="1"), content(uin="2")
    stored(store, first, source="theyworkforyou", source_id="gid")
    stored(store, second, official_id=77)
    stored(store, first, official_id=77, observed_at=at(1), now=at(1))
    assert keys(store, "cocaine") == ["1"]
    with store.write() as conn:
        search_index._start_again(conn)
    search_index.reindex(store)
    assert keys(store, "cocaine") == ["1"]


def test_facets_count_the_hits(store):
    lords = {"house": House.LORDS, "uin": "HL9"}
    stored(
        store,
        question(1, answering_body=Body("Home Department", 1)),
        question(2),
        question(3, **lords),
        answered(
            uin="5", question_text="cocaine", tabled_on=date(2024, 12, 30), answered_on=date(2025, 1, 9)
        ),
        question(4, "tobacco"),
    )
    with store.read() as conn:
        facets = archive.search(conn, parse("cocaine"), today=TODAY, facets=True).facets
        narrow = archive.search(conn, parse("=cocaine house:lords"), today=TODAY, facets=True).facets
    assert facets.of == 4
    assert facets.department == {"Home Office": 4}
    assert facets.year == {2025: 3, 2024: 1}
    assert facets.state == {"tabled": 3, "answered": 1}
    assert facets.house == {"Commons": 3, "Lords": 1}
    assert (narrow.of, narrow.year) == (1, {2025: 1})


@pytest.mark.parametrize(
    "long",
    [
        " ".join(["of the"] * 9_000) + " county lines",  # more places than a tsvector counts
        " ".join(f"word{n}" for n in range(120_000)) + " county lines",  # more than it holds
        "county " * 300 + "lines",  # more places than it holds of one word
    ],
    ids=["many places", "many words", "one word often"],
)
def test_long_answers_match_alike_on_both_databases(store, long):
    stored(store, answered(long, uin="1"), answered("county x lines", uin="2"))
    assert keys(store, '"county lines"') == ["1"]
    assert keys(store, 'answer:"county lines"') == ["1"]
    assert sorted(keys(store, "answer:county")) == ["1", "2"]
    assert keys(store, "question:county") == []
    assert keys(store, '"lines county" OR "lines lines"') == []
    assert keys(store, 'lines NOT "county lines"') == ["2"]
    assert keys(store, "zebra") == []


def test_the_index_is_made_anew_when_its_rules_change(store, monkeypatch):
    stored(store, *(question(number) for number in range(1, 6)))
    with store.write() as conn:
        conn.execute(update(meta).where(meta.c.name == "search_stamp").values(value="rules of long ago"))
    with store.read() as conn, pytest.raises(StorageError, match="made by another version"):
        archive.search(conn, parse("cocaine"), today=TODAY)
    stored(store, question(6))  # a crawl goes on, and begins to make it anew
    with store.read() as conn:
        assert not search_index.is_whole(conn)
        assert [hit.question_id for hit in index.newest(conn, Token("cocaine"), 20)] == [6]
    monkeypatch.setattr(search_index, "BATCH", 2)
    told = []
    assert search_index.reindex(store, lambda done, total: told.append((done, total))) == 5
    assert told == [(3, 6), (5, 6), (6, 6)]
    assert keys(store, "cocaine") == ["6", "5", "4", "3", "2", "1"]
    assert search_index.reindex(store) == 0


def test_a_rebuild_that_was_cut_off_goes_on(store, monkeypatch):
    stored(store, *(question(number) for number in range(1, 6)))
    monkeypatch.setattr(search_index, "BATCH", 2)

    def cut_off(done, _total):
        raise KeyboardInterrupt if done else None

    with pytest.raises(KeyboardInterrupt):
        search_index.reindex(store, cut_off, anew=True)
    with store.read() as conn:
        assert archive.search(conn, parse("cocaine"), today=TODAY).about
    assert search_index.reindex(store) == 3
    assert keys(store, "cocaine") == ["5", "4", "3", "2", "1"]


def test_tidying_changes_nothing_that_is_found(store):
    for number in range(1, 6):
        stored(store, question(number))
    search_index.tidy(store)
    assert keys(store, "cocaine") == ["5", "4", "3", "2", "1"]


def test_what_is_corrected_stays_found_as_such(store):
    stored(store, answered(uin="1"))
    stored(store, corrected(uin="1"), now=at(1), observed_at=at(1))
    stored(store, answered("Six tonnes.", uin="1"), now=at(2), observed_at=at(2))
    assert keys(store, "is:corrected") == ["1"]


def test_counts_are_reckoned_where_counting_would_take_long(store, monkeypatch):
    monkeypatch.setattr(index, "COUNTED", 20)
    monkeypatch.setattr(search_postgresql, "_SAMPLE", 40)
    monkeypatch.setattr(search_postgresql, "_EXACT", 20)
    stored(store, *(question(number, "cocaine" if number % 2 else "tobacco") for number in range(1, 121)))
    with store.read() as conn:
        many = index.count(conn, Token("cocaine"))
        few = index.count(conn, Token("heroin"))
    assert not many.exact
    assert many.hits == pytest.approx(60, abs=5)
    assert (few.hits, few.exact) == (0, True)


def test_a_rare_word_far_back_is_found(store, monkeypatch):
    monkeypatch.setattr(search_postgresql, "_WINDOWS", (5, 20))
    stored(
        store, *(question(number, "opium" if number in (2, 90) else "tobacco") for number in range(1, 121))
    )
    assert keys(store, "opium") == ["90", "2"]
    assert keys(store, "tobacco")[0] == "120"


def test_a_range_of_answers_is_looked_for_at_its_place(store, monkeypatch):
    monkeypatch.setattr(search_postgresql, "_WINDOWS", (2, 4))
    days = [date(2025, 2, day) for day in range(1, 21)]
    stored(store, *(answered(uin=str(n), answered_on=day) for n, day in enumerate(days)), content(uin="99"))
    for first in (None, days[4], days[19]):
        for last in (None, days[4], days[11]):
            if (first, last) == (None, None) or (first and last and first > last):
                continue
            wanted = [str(n) for n, day in enumerate(days)
                      if (first is None or first <= day) and (last is None or day <= last)]  # fmt: skip
            text = f"cocaine answered:{first or ''}..{last or ''}"
            assert keys(store, text) == wanted[::-1]
            with store.read() as conn:
                page = archive.search(conn, parse(text), today=TODAY, limit=3)
                rest = archive.search(conn, parse(text), today=TODAY, after=page.next) if page.next else None
            found = [each.record.content.uin for each in (*page.items, *(rest.items if rest else ()))]
            assert found == wanted[::-1]


def test_iterate_gives_all_newest_first(store):
    stored(store, *(question(number) for number in range(1, 8)))
    with store.read() as conn:
        found = list(archive.iterate(conn, parse("cocaine NOT =tobacco"), today=TODAY))
        late = list(archive.iterate(conn, parse("cocaine"), today=TODAY, since=date(2025, 1, 6)))
    assert [record.content.uin for record in found] == ["7", "6", "5", "4", "3", "2", "1"]
    assert [record.content.uin for record in late] == ["7", "6", "5"]


def test_the_tokens_are_those_that_the_layout_number_stands_for():
    what = answered(
        "Seizures¹ of U.K. origin cost £2,000 (18.58%); prisoners' and children's café – don’t.\tco-operate",
        heading="Drugs: Smuggling",
        answering_body=Body("Department of Health", 17),
        asking_member=Member("Ms Zoë O'Neill", 1, "Labour"),
    )
    basis = Basis(
        keys=("commons/2025-03-03/35566",), pro_forma=True, overdue_after=TODAY, earlier=("heroin",)
    )
    tokens = " | ".join(index_row(what, basis).columns())
    assert hashlib.blake2b(tokens.encode(), digest_size=8).hexdigest() == "48db7d421f5a2cf5", (
        f"the tokens changed: raise LAYOUT in storage/search_rows.py, so that archives are indexed anew ({tokens})"
    )
    assert LAYOUT == 1
