"""Topic packs: what they say yes and no to, how they are read, that search means the same, and how they are measured."""

from __future__ import annotations

import time
from datetime import date

import pytest

from alerts import packcheck
from alerts import search as archive
from alerts.matcher import matched, matches
from alerts.packcheck import Item, LabelError, check, half_of, read_labelled, to_shape, weights_of, wilson
from alerts.packs import (
    PackError,
    all_packs,
    pack_named,
    packs,
    read_pack,
    topics_in,
    topics_of,
)
from alerts.query import Limits, parse
from alerts.tree import And, Or, Scope, Word
from storage.document import Document
from storage.ingest import ingest
from storage.records import Record
from tests.helpers import NOW, answered, content, observation
from tests.topic_cases import cases

HEAD = """
title = "Fruit"
meaning = "Fruit of every kind."
sources = ["A greengrocer"]
[words]
sour = "lemon OR lime"
fruit = "{sour} OR apple"
[[change]]
version = "1.1"
on = 2026-02-01
what = "Limes."
[[change]]
version = "1.0"
on = 2026-01-01
what = "First."
"""
SECTION = '[[section]]\nname = "all"\nmeaning = "All of it."\n'


def doc(question: str = "", answer: str = "", title: str = "") -> Document:
    return Document("x", {"title": title, "question": question, "answer": answer}, (), {})


def fruit(section: str):
    return read_pack("fruit", HEAD + SECTION + section)


@pytest.mark.parametrize(("wanted", "question", "answer"), cases())
def test_the_packs_say_what_a_reader_says(wanted, question, answer):
    assert set(topics_in(doc(question, answer))) == wanted


def test_a_heading_counts_as_asked():
    assert topics_in(doc("To ask what steps he is taking.", title="Drugs: Smuggling")) == [
        "drugs",
        "organised-crime",
    ]
    assert topics_in(doc("To ask what steps he is taking.", title="Cancer: Drugs")) == []


def test_one_passing_clause_in_an_answer_is_not_enough():
    asked = "To ask the Secretary of State for the Home Department, how many police officers there are."
    assert topics_in(doc(asked, "There are many. They deal with theft, drugs and organised crime.")) == []


def test_an_answer_that_is_about_it_is_enough():
    asked = (
        "To ask the Secretary of State for the Home Department, what she is doing about crime in Ambridge."
    )
    told = "We fund work against county lines. Criminal gangs run them; the National Crime Agency goes after organised crime groups."
    assert topics_in(doc(asked, told)) == ["organised-crime"]


def test_a_record_tells_its_topics():
    record = Record(key="commons/2025-03-03/35566", content=answered())
    assert topics_of(record) == ["drugs", "organised-crime"]


def test_every_pack_is_one_query_of_the_language():
    for name, query in packs().items():
        assert parse(query.text, limits=Limits(200_000, 5_000, 40)).tree == query.tree
        assert parse(f"topic:{name}", packs()).tree.child == query.tree


def test_the_matcher_says_what_the_query_means():
    for _, question, answer in cases():
        read = doc(question, answer)
        assert topics_in(read) == sorted(name for name, query in packs().items() if matches(query, read))


def test_matched_words_are_shown():
    query = parse("topic:drugs", packs())
    assert "naloxone" in [place.text for place in matched(query, doc("how much naloxone is held"))]


def test_search_finds_what_the_packs_match(store):
    for number, (_, question, answer) in enumerate(cases(), 1):
        day, uin = date(2025, 1, 1), str(number)
        given = {"uin": uin, "tabled_on": day, "question_text": question}
        what = answered(answer, **given) if answer else content(**given)
        ingest(store, [observation(what)], now=NOW)
    for name in packs():
        wanted = {str(number) for number, (topics, _, _) in enumerate(cases(), 1) if name in topics}
        with store.read() as conn:
            page = archive.search(conn, parse(f"topic:{name}", packs()), today=date(2025, 3, 10), limit=1_000)
        assert {found.record.content.uin for found in page.items} == wanted


def test_topics_are_told_fast():
    read = [doc(question, answer) for _, question, answer in cases()] * 5
    topics_in(read[0])
    began = time.process_time()
    for each in read:
        topics_in(each)
    assert (time.process_time() - began) / len(read) < 0.1, "a bound, not a target: it takes a millisecond"


def test_packs_tell_version_sources_and_changes():
    for pack in all_packs():
        assert pack.sources
        assert pack.version == pack.changes[0].version
        assert [change.on for change in pack.changes] == sorted(
            (change.on for change in pack.changes), reverse=True
        )
        assert len({section.name for section in pack.sections}) == len(pack.sections)


def test_an_unknown_pack_is_an_error_that_names_the_known():
    with pytest.raises(PackError, match="no topic 'fruit'; known topics: drugs, organised-crime"):
        pack_named("fruit")


def test_what_is_asked_is_heading_or_question_and_may_be_parted_between_them():
    query = fruit('asked = "lemon price"').query
    assert matches(query, doc("the price", title="Lemons"))
    assert not matches(query, doc("the price", answer="lemons"))
    assert query.tree == And(
        tuple(Or((Scope("title", Word(word)), Scope("question", Word(word)))) for word in ("lemon", "price"))
    )


def test_a_phrase_never_crosses_from_heading_to_question():
    assert not matches(fruit("""asked = '"sour lemon"'""").query, doc("lemon", title="Sour"))


def test_all_keys_of_a_section_hold_together_and_unless_is_asked():
    query = fruit('asked = "{fruit}"\nanswer = "sold"\nanywhere = "basket"\nunless = "plastic"').query
    assert matches(query, doc("limes in a basket", "sold"))
    assert not matches(query, doc("limes in a basket", "bought"))
    assert not matches(query, doc("limes", "sold"))
    assert not matches(query, doc("limes in a plastic basket", "sold"))
    assert matches(query, doc("limes in a basket", "sold in plastic"))
    assert matches(query, doc("apples in a basket", "sold"))


def test_sections_are_parted_by_or():
    pack = read_pack(
        "fruit", HEAD + SECTION + 'asked = "lemon"\n' + SECTION.replace('"all"', '"b"') + 'answer = "plum"'
    )
    assert matches(pack.query, doc("lemon"))
    assert matches(pack.query, doc("", "plum"))
    assert (pack.version, pack.changes[1].what) == ("1.1", "First.")


def test_or_of_ands_and_nots_is_asked_too():
    query = fruit('asked = "(lemon NOT plastic) OR (apple pear)"').query
    assert matches(query, doc("apple", title="Pear"))
    assert matches(query, doc("lemon"))
    assert not matches(query, doc("lemon", title="Plastic"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEAD, "'section' is missing"),
        ("title = ", "fruit: "),
        (HEAD + SECTION, "section 'all': one of 'asked', 'answer', 'anywhere' is needed"),
        (HEAD + SECTION + 'aksed = "x"', "section 'all': unknown key 'aksed'; known: answer, anywhere"),
        (HEAD + SECTION + 'asked = "(lemon"', "section 'all': query: column 7: expected a closing bracket"),
        (HEAD + SECTION + 'asked = "{nuts}"', "section 'all': there is no word list 'nuts'"),
        (HEAD + SECTION + f'asked = "{"lemon " * 400}"', "longer than 2,000 characters"),
        (HEAD + SECTION + f'asked = "{"ab " * 201}"', "more than 200 terms"),
        (HEAD.replace("2026-02-01", '"soon"') + SECTION + 'asked = "x"', "version 1.1: 'on' is no date"),
        (HEAD.replace("on = 2026-02-01", "") + SECTION + 'asked = "x"', "'on' is missing"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_pack_is_one_clear_line(text, said):
    with pytest.raises(PackError) as caught:
        read_pack("fruit", text)
    assert str(caught.value).startswith("topic pack fruit: ")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def item(id_, *topics, stratum="core", doubtful=False):
    return Item(id_, frozenset(topics), stratum, doubtful)


ITEMS = [
    item(1, "drugs"), item(2, "drugs"), item(3, "drugs", doubtful=True), item(4), item(5),
    item(6, stratum="rest"), item(7, stratum="rest"), item(8, "drugs", stratum="rest"),
]  # fmt: skip


def test_precision_and_recall_are_those_of_the_counts():
    report = check("drugs", "1.0", ITEMS, {1, 3, 4}, {})
    told = report.everything
    assert (told.labelled, told.wanted, told.hits, told.right) == (8, 4, 3, 2)
    assert told.precision.value == pytest.approx(2 / 3)
    assert told.recall.value == pytest.approx(2 / 4)
    assert (told.misses, told.false_hits) == ((2, 8), (4,))
    assert report.without_doubtful.precision.value == pytest.approx(1 / 2)
    assert report.without_doubtful.recall.value == pytest.approx(1 / 3)
    assert [(each.name, each.labelled, each.hits, each.false_hits) for each in report.strata] == [
        ("core", 4, 2, 1),
        ("rest", 3, 0, 0),
    ]


def test_items_weigh_as_many_questions_as_they_stand_for():
    weights = weights_of(ITEMS, {"core": 10, "rest": 300})
    assert weights == {"core": 2.0, "rest": 100.0}
    told = check("drugs", "1.0", ITEMS, {1, 3, 4}, weights).everything
    assert told.weighted_precision.value == pytest.approx(2 / 3)
    assert told.weighted_recall.value == pytest.approx(4 / 106)
    assert told.weighted_recall.low < told.weighted_recall.value < told.weighted_recall.high


def test_intervals_come_out_the_same_each_time():
    weights = {"core": 2.0, "rest": 100.0}
    assert check("drugs", "1", ITEMS, {1, 4, 8}, weights) == check("drugs", "1", ITEMS, {1, 4, 8}, weights)


def test_wilson_is_the_interval_of_the_books():
    share = wilson(9, 10)
    assert (share.low, share.high) == (pytest.approx(0.5958, abs=1e-4), pytest.approx(0.9821, abs=1e-4))
    assert wilson(10, 10).high == pytest.approx(1.0)
    assert wilson(0, 0) is None


def test_a_share_of_nothing_is_null():
    told = to_shape(check("drugs", "1.0", [item(1), item(2)], set(), {}))
    assert (told["precision"], told["recall"], told["weighted_precision"]) == (None, None, None)
    assert told["intervals"]["recall"] is None


def test_halves_go_by_the_id_alone_and_are_about_even():
    tuning = sum(half_of(number) == "tuning" for number in range(2_000))
    assert 900 < tuning < 1_100
    assert half_of(17) == half_of("17")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ([], "expected a JSON object with an id"),
        ({"id": 1, "drugs": "yes"}, "1: drugs must be true or false, not 'yes'"),
        ({"id": 1}, "1: drugs must be true or false, not None"),
    ],
)
def test_a_label_that_is_none_is_an_error(data, said):
    with pytest.raises(LabelError, match=said):
        read_labelled(data, ["drugs"])


def test_headings_can_be_left_out():
    data = {
        "id": 1,
        "drugs": True,
        "heading": "Cocaine",
        "question_text": "q",
        "answer_text": None,
        "stratum": "s",
    }
    with_it = packcheck.read_labelled(data, ["drugs"])
    assert with_it.item == Item(1, frozenset({"drugs"}), "s", doubtful=False)
    assert topics_in(with_it.document) == ["drugs"]
    assert topics_in(read_labelled(data, ["drugs"], headings=False).document) == []
