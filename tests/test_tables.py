"""Dicts in parts: as a dict, and never slow to grow."""

from __future__ import annotations

import random

import pytest

from alerts.matcher import Matcher
from alerts.prefixes import PrefixTable
from alerts.query import parse
from alerts.tables import Layers, Spread
from storage.document import document
from storage.records import Content, Record


@pytest.mark.parametrize("kind", [Spread, Layers])
def test_it_is_a_dict(kind, monkeypatch):
    monkeypatch.setattr(Layers, "MOST", 20)
    chance, held, plain = random.Random(1), kind(), {}
    for _ in range(20_000):
        key = str(chance.randrange(150))
        if chance.random() < 0.55:
            held[key] = plain[key] = object()
        elif key in plain:
            del held[key], plain[key]
        assert held.get(key) is plain.get(key)
        assert len(held) == len(plain)
        assert bool(held) is bool(plain)
    with pytest.raises(KeyError):
        del held["absent"]


def test_layers_tell_which_keys_they_hold_and_fill_up_again(monkeypatch):
    monkeypatch.setattr(Layers, "MOST", 20)
    held = Layers()
    for number in range(100):
        held[str(number)] = number
    assert len(held._layers) == 5
    assert sorted(held.held({"3", "44", "99", "x"})) == [3, 44, 99]
    assert held.pick({"3", "99", "x"}) == {"3": 3, "99": 99}
    assert sorted(held) == sorted(map(str, range(100)))
    for number in range(20, 40):
        del held[str(number)]
    for number in range(20):
        held[f"new {number}"] = number
    assert len(held._layers) == 5


def test_prefixes_are_those_that_words_begin_with():
    chance, table, used = random.Random(2), PrefixTable(), set()
    letters = "ab"
    words = {"".join(chance.choices(letters, k=chance.randrange(1, 7))) for _ in range(60)}
    for _ in range(2_000):
        prefix = "".join(chance.choices(letters, k=chance.randrange(2, 6)))
        if prefix in used:
            table.exclude(prefix)
            used.remove(prefix)
        else:
            table.include(prefix)
            used.add(prefix)
        some = set(chance.sample(sorted(words), 10))
        wanted = {f"{p}*" for p in used for word in some if word.startswith(p)}
        assert table.terms(some) == wanted
        assert bool(table) is bool(used)


def test_prefixes_remember_no_more_words_than_they_may(monkeypatch):
    monkeypatch.setattr(PrefixTable, "LIMIT", 50)
    table = PrefixTable()
    table.include("ab")
    for number in range(500):
        assert table.terms({f"ab{number}", f"cd{number}"}) == {"ab*"}
        assert len(table._plain) + len(table._begun) <= 50


def test_no_dict_of_a_matcher_grows_large(monkeypatch):
    """A dict that outgrows its room is laid out anew: in one of a million entries that takes many milliseconds."""
    monkeypatch.setattr(Layers, "MOST", 500)
    matcher = Matcher()
    for number in range(4_000):
        matcher.add(number, parse(f'word{number} OR "no{number} two"' if number % 2 else f"word{number}"))
    parts = [
        *matcher._shelves._layers,
        *matcher._runs._layers,
        *matcher._entries._parts,
        *matcher._places._parts,
    ]
    assert max(map(len, parts)) <= 500
    assert sorted(matcher.match(document(Record(key="k", content=Content(question_text="word7 word8"))))) == [
        7,
        8,
    ]
