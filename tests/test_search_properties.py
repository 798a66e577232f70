"""Search on both databases finds exactly what the matcher and the reference say, for generated queries and records."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alerts.matcher import matches
from alerts.query import Query, QueryError, parse
from alerts.search import count, ever_matching, hits_of, search
from storage import search_postgresql
from storage.content import content_from_json, content_to_json
from storage.document import document
from storage.records import Record
from tests import queries as made
from tests import reference, search_rows

RELAXED = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]
histories = st.lists(st.lists(made.records(), min_size=1, max_size=3), min_size=1, max_size=6)


def read(texts: list[str]) -> list[Query]:
    found = []
    for text in texts:
        try:
            found.append(parse(text))
        except QueryError as error:
            assert "everything" in str(error), (text, error)  # noqa: PT017 - else it is read
    return found


def lived(number: int, history: list[Record]) -> list[Record]:
    """The records as versions of one question: one key and one set of sources, of which only feed items have `feeds`."""
    key = f"commons/2024-03-01/{6 + number}"
    sources = history[-1].sources
    if any(record.content.house is not None for record in history):
        sources = tuple(replace(seen, source="parliament") for seen in sources)
    return [
        replace(record, key=key, sources=sources, content=content_from_json(content_to_json(record.content)))
        for record in history
    ]


def as_read(history: list[Record]) -> Record:
    """The newest version as the database gives it back."""
    states = [record.state for record in history]
    return replace(history[-1], ever_corrected="corrected" in states)


@settings(max_examples=70, deadline=None, suppress_health_check=RELAXED)
@given(texts=st.lists(made.queries, min_size=1, max_size=8), given_histories=histories)
def test_search_finds_what_matches(store, texts, given_histories):
    histories_ = [lived(number, history) for number, history in enumerate(given_histories, 1)]
    with search_rows.undone(store) as conn:
        for number, history in enumerate(histories_, 1):
            search_rows.put(conn, number, history)
        newest = {number: as_read(history) for number, history in enumerate(histories_, 1)}
        for query in read(texts):
            wanted = {n for n, record in newest.items() if reference.holds(query.tree, record, made.TODAY)}
            docs = {n: document(record, today=made.TODAY) for n, record in newest.items()}
            assert {n for n, doc in docs.items() if matches(query, doc)} == wanted, query.text
            hits = list(hits_of(conn, query, today=made.TODAY))
            assert {hit.question_id for hit in hits} == wanted, query.text
            assert [hit.sort_key for hit in hits] == sorted((hit.sort_key for hit in hits), reverse=True)
            counted = count(conn, query, today=made.TODAY)
            assert counted.exact
            assert counted.hits == len(wanted)
            assert pages(conn, query, "date") == [newest[hit.question_id].key for hit in hits]
            assert set(pages(conn, query, "relevance")) == {newest[n].key for n in wanted}


def pages(conn, query, sort):
    """Keys of all results, two a page."""
    found, after = [], None
    while True:
        page = search(conn, query, today=made.TODAY, limit=2, after=after, sort=sort)
        found += [item.record.key for item in page.items]
        if page.next is None:
            return found
        after = page.next


@settings(max_examples=70, deadline=None, suppress_health_check=RELAXED)
@given(texts=st.lists(made.queries, min_size=1, max_size=8), given_histories=histories)
def test_no_version_that_matched_is_passed_over(store, texts, given_histories):
    histories_ = [lived(number, history) for number, history in enumerate(given_histories, 1)]
    with search_rows.undone(store) as conn:
        for number, history in enumerate(histories_, 1):
            search_rows.put(conn, number, history)
        for query in read(texts):
            possible = set(ever_matching(conn, query))
            for number, history in enumerate(histories_, 1):
                held = any(matches(query, document(record, today=made.TODAY)) for record in history)
                assert number in possible or not held, query.text


@settings(max_examples=40, deadline=None, suppress_health_check=RELAXED)
@given(given_histories=histories)
def test_the_index_stays_in_step(store, given_histories):
    with search_rows.undone(store) as conn:
        for number, history in enumerate(given_histories, 1):
            search_rows.put(conn, number, lived(number, history))
        kept = search_rows.dump(conn)
        search_rows.rebuild(conn)
        assert kept == search_rows.dump(conn)


@pytest.mark.parametrize("forms", [("drug", "drugs"), ("seized", "seizing")])
def test_inflected_forms_of_an_undone_transaction_are_stored_again(store, forms):
    first, second = ([replace(Record(key="commons/2024-03-01/7", content=made_of(word)))] for word in forms)
    with search_rows.undone(store) as conn:
        search_rows.put(conn, 1, first)
    with search_rows.undone(store) as conn:
        search_rows.put(conn, 1, first)
        search_rows.put(conn, 2, [replace(second[0], key="commons/2024-03-01/8")])
        found = {hit.question_id for hit in hits_of(conn, parse(forms[1]), today=made.TODAY)}
    assert found == {1, 2}


def made_of(text):
    from tests.helpers import content

    return content(question_text=text)


def test_rare_and_frequent_words_are_found_whatever_windows_are_passed_over(store, monkeypatch):
    monkeypatch.setattr(search_postgresql, "_WINDOWS", (2, 3, 4))
    days = {number: f"commons/2024-03-01/{number}" for number in range(1, 31)}
    with search_rows.undone(store) as conn:
        for number, key in days.items():
            text = "drugs" + (" heroin" if number in {2, 9, 21} else "")
            search_rows.put(conn, number, [replace(Record(key=key, content=made_of(text)))])
        for word, wanted in (("heroin", [21, 9, 2]), ("drugs", sorted(days, reverse=True))):
            assert pages(conn, parse(word), "date") == [days[number] for number in wanted]
