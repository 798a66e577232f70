"""The matcher, the meaning of a single query, the printer and the reference agree on generated queries and records."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alerts.explain import explain
from alerts.matcher import Matcher, matched, matches
from alerts.printer import show
from alerts.query import Query, QueryError, from_json, parse, to_json
from storage.document import document
from tests import queries as made
from tests import reference

RELAXED = [HealthCheck.too_slow, HealthCheck.data_too_large]


def read(texts: list[str]) -> dict[int, Query]:
    found = {}
    for number, text in enumerate(texts):
        try:
            found[number] = parse(text)
        except QueryError as refused:
            if "everything" not in refused.message:
                raise
    return found


@settings(max_examples=1_500, deadline=None, suppress_health_check=RELAXED)
@given(st.lists(made.queries, min_size=1, max_size=12), st.lists(made.records(), min_size=1, max_size=4))
def test_every_way_of_matching_agrees_with_the_reference(texts, records):
    queries = read(texts)
    matcher = Matcher()
    for number, query in queries.items():
        matcher.add(number, query)
    for record in records:
        doc = document(record, today=made.TODAY)
        wanted = {n for n, q in queries.items() if reference.holds(q.tree, record, made.TODAY)}
        assert {n for n, q in queries.items() if matches(q, doc)} == wanted
        found = matcher.match(doc)
        assert len(found) == len(set(found))
        assert set(found) == wanted


@settings(max_examples=800, deadline=None, suppress_health_check=RELAXED)
@given(made.queries, made.records())
def test_matched_places_are_those_of_the_reference(text, record):
    for query in read([text]).values():
        doc = document(record, today=made.TODAY)
        found = matched(query, doc)
        wanted = reference.matched(query.tree, record, made.TODAY)
        assert [(m.part, m.start, m.end) for m in found] == wanted
        texts = reference.parts_of(record)
        assert all(texts[m.part][m.start : m.end] == m.text != "" for m in found)


@settings(max_examples=800, deadline=None, suppress_health_check=RELAXED)
@given(made.queries, made.records())
def test_explain_says_of_the_whole_what_the_matcher_says(text, record):
    for query in read([text]).values():
        doc = document(record, today=made.TODAY)
        assert explain(query, doc)["holds"] is matches(query, doc)


@settings(max_examples=800, deadline=None, suppress_health_check=RELAXED)
@given(made.queries)
def test_printing_and_storing_give_the_same_tree_back(text):
    for query in read([text]).values():
        assert parse(show(query.tree)).tree == query.tree
        assert from_json(to_json(query.tree)) == query.tree


@settings(max_examples=300, deadline=None, suppress_health_check=RELAXED)
@given(st.lists(made.queries, max_size=12), st.data(), made.records())
def test_what_comes_and_goes_leaves_nothing_behind(texts, data, record):
    queries = read(texts)
    gone = data.draw(st.sets(st.sampled_from(sorted(queries)))) if queries else set()
    doc = document(record, today=made.TODAY)
    kept, whole = Matcher(), Matcher()
    for number, query in queries.items():
        whole.add(number, query)
        whole.match(doc)
        if number not in gone:
            kept.add(number, query)
    for number in gone:
        whole.remove(number)
    assert sorted(whole.match(doc)) == sorted(kept.match(doc))
    for number in queries.keys() - gone:
        whole.remove(number)
    assert not whole._shelves
    assert not whole._runs
    assert not whole._entries
    assert not whole._prefixes
    assert not whole._places


@settings(max_examples=1_000, deadline=None)
@given(st.text(max_size=80))
def test_any_text_is_a_query_or_a_clear_error(text):
    query, column = None, 1
    try:
        query = parse(text)
    except QueryError as refused:
        column = refused.column or 1
    assert 1 <= column <= len(text) + 1
    if query is not None:
        assert parse(show(query.tree)).tree == query.tree
        assert from_json(to_json(query.tree)) == query.tree
