"""The tokenizer: the rules for words that the query language states, offsets, and texts meant to break it."""

from __future__ import annotations

import sqlite3
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage import search_sqlite
from storage.analyse import LONGEST, inflected, places, words
from storage.bodies import names_of, unknown
from storage.document import document, field_token
from storage.fold import fold
from storage.records import Body, Content, Record
from tests import reference
from tests.queries import TODAY, records


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Drugs: Smuggling", ["drugs", "smuggling"]),
        ("don't don’t donʼt", ["don't"] * 3),
        (
            "a prisoner's cell, prisoners' cells, PRISONER’S",
            ["a", "prisoner", "cell", "prisoners", "cells", "prisoner"],
        ),
        ("the fox-it report", ["the", "fox", "it", "report"]),
        (
            "U.K. and U.K and U.K.'s and e.g. J.K. Rowling",
            ["uk", "and", "uk", "and", "uk", "and", "eg", "jk", "rowling"],
        ),
        (
            "£2,000 or 1,234,567 but 2,0001 and 1,23",
            ["2000", "or", "1234567", "but", "2", "0001", "and", "1", "23"],
        ),
        ("18.58% of 3.5mg. End.", ["18.58", "of", "3.5mg", "end"]),
        ("café CAFÉ cafe\u0301", ["cafe"] * 3),
        ("straße ﬁsh Ｆｕｌｌ CO₂", ["strasse", "fish", "full", "co2"]),
        ("seizures¹ 10² 1½ Spice™", ["seizures", "1", "10", "2", "1", "1", "2", "spice", "tm"]),
        ("traf\u00adficking a\u200bb \u202ex\u202c", ["trafficking", "ab", "x"]),
        ("\U0001f600 \x00 \ud800 -- … “”", []),
        ("a_b c/d AT&T", ["a", "b", "c", "d", "at", "t"]),
        ("", []),
    ],
)
def test_words(text, wanted):
    assert words(text) == wanted


def test_inflection_is_snowball_english():
    assert {inflected(word) for word in ("smuggling", "smuggled", "smuggle", "smuggles")} == {"smuggl"}
    assert inflected("18.58") == "18.58"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("The U.K.'s ROCU", [("The", "The"), ("UK", "U.K."), ("ROCU", "ROCU")]),
        ("prisoners’ don’t", [("prisoners", "prisoners"), ("don't", "don’t")]),
        ("½ ﬁne cafe\u0301 é", [("½", "½"), ("½", "½"), ("ﬁne", "ﬁne"), ("café", "cafe\u0301"), ("é", "é")]),
        ("£2,000 18.58", [("2000", "2,000"), ("18.58", "18.58")]),
    ],
)
def test_exact_forms_and_places(text, wanted):
    assert [(place.exact, text[place.start : place.end]) for place in places(text)] == wanted


@given(st.text())
def test_every_word_has_a_place_and_folding_twice_changes_nothing(text):
    found = places(text)
    assert [place.folded for place in found] == words(text)
    assert all(0 <= place.start < place.end <= len(text) for place in found)
    assert all(words(place.folded) == [place.folded] and len(place.folded) <= LONGEST for place in found)
    assert fold(fold(text)) == fold(text)
    assert all(words(text[place.start : place.end]) for place in found)


@given(records())
def test_the_words_are_those_of_the_plain_tokenizer(record):
    doc = document(record, today=TODAY)
    for name, text in reference.parts_of(record).items():
        mine = [(place.folded, place.exact, place.start, place.end) for place in doc.parts[name].places]
        assert mine == reference.tokens(text)
        assert doc.parts[name].folded == [word[0] for word in mine]


@given(st.lists(st.text(), min_size=1, max_size=5))
def test_fts5_keeps_every_token_whole(texts):
    tokens = {token for text in texts for token in words(text) if token.isprintable()}
    with sqlite3.connect(":memory:") as db:
        db.execute(f'create virtual table t using fts5(a, tokenize = "{search_sqlite.TOKENIZER}")')
        db.execute("create virtual table v using fts5vocab(t, row)")
        db.execute("insert into t values (?)", (" ".join(tokens),))
        assert {row[0] for row in db.execute("select term from v")} == tokens
    db.close()


def test_hostile_texts_are_quick():
    started = time.process_time()
    for unit in ("a", "a.", "1,", "'s", "'s'sx", "e\u0301", "1,000", "a b "):
        places(unit * 50_000)
    assert time.process_time() - started < 20  # a square of the length would take minutes


def test_a_body_answers_to_its_former_names():
    doc = document(
        Record(
            key="commons/2024-03-01/7",
            content=Content(answering_body=Body("Department of Health and Social Care", 17)),
        )
    )
    assert field_token("department", "Department of Health") in doc.fields
    assert field_token("department", "health and SOCIAL care") in doc.fields
    assert field_token("department", "care health") not in doc.fields
    by_name = names_of(Body("Department for Levelling Up, Housing & Communities"))
    assert "Ministry of Housing, Communities and Local Government" in by_name
    assert "Department for Education" in names_of(
        Body("CHILDREN, SCHOOLS AND FAMILIES")
    )  # as TheyWorkForYou has 2009


def test_bodies_that_the_table_does_not_know_are_told():
    assert unknown(Body("Ministry of Magic", 999))
    assert unknown(Body("Home Ministry", 1))
    assert unknown(Body("Ministry of Magic"))
    assert not unknown(Body("Home Office", 1))
    assert names_of(Body("Ministry of Magic")) == ("Ministry of Magic",)
    assert "Home Office" in names_of(Body("Home Ministry", 1))
