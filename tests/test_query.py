"""Reading queries: what each spelling means, what a mistake is answered with, and how fast bad input is refused."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import date

import pytest

from alerts.query import Limits, Query, QueryError, advice, from_json, parse, to_json
from alerts.tree import And, Dates, Exact, Field, Near, Not, Or, Phrase, Prefix, Scope, Topic, Word

A, B, C = Word("a"), Word("b"), Word("c")


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("cocaine heroin", And((Word("cocaine"), Word("heroin")))),
        ("a AND b", And((A, B))),
        ("a OR b", Or((A, B))),
        ("(a OR b) c", And((Or((A, B)), C))),
        ("a OR b c", Or((A, And((B, C))))),
        ("a b OR c", Or((And((A, B)), C))),
        ("a NOT b", And((A, Not(B)))),
        ("a -b", And((A, Not(B)))),
        ("a NOT b OR c", Or((And((A, Not(B))), C))),
        ("a NEAR/3 b c", And((Near(A, B, 3), C))),
        ("a OR b NEAR/3 c", Or((A, Near(B, C, 3)))),
        ("(a OR (b OR c)) NEAR/2 x", Near(Or((A, B, C)), Word("x"), 2)),
        ("NOT (a NEAR/3 b) c", And((Not(Near(A, B, 3)), C))),
        ("a or b", And((A, Word("or"), B))),
        ('"county lines"', Phrase(("county", "lines"))),
        ("“county lines”", Phrase(("county", "lines"))),
        ('"county lin*"', Phrase(("county", "lin"), prefix=True)),
        ('"drugs"', Phrase(("drugs",))),
        ("traffick*", Prefix("traffick")),
        ("fox-it", Phrase(("fox", "it"))),
        ("fox-i-th*", Phrase(("fox", "i", "th"), prefix=True)),
        ("=ROCU", Exact(("ROCU",))),
        ("=Fox-IT", Exact(("Fox", "IT"))),
        ("Don’t", Word("don't")),
        ("U.K.", Word("uk")),
        ("£2,000", Word("2000")),
        ("18.58%", Word("18.58")),
        ("10:30", Phrase(("10", "30"))),
        ("prisoners'", Word("prisoners")),
        ('department:"Home Office"', Field("department", "home office")),
        ("dept:health", Field("department", "health")),
        ("DEPT:Health", Field("department", "health")),
        ("uin:HL4664", Field("uin", "hl4664")),
        ("key:Commons/2018-06-21/906096", Field("key", "commons/2018-06-21/906096")),
        ('heading:"Drugs: Smuggling"', Field("heading", "drugs: smuggling")),
        ("state:Holding", Field("state", "holding")),
        ("is:pro-forma", Field("is", "pro-forma")),
        ("question:drugs", Scope("question", Word("drugs"))),
        ("title:(a OR b)", Scope("title", Or((A, B)))),
        ('answer:"a b"', Scope("answer", Phrase(("a", "b")))),
        ("tabled:2024", Dates("tabled", date(2024, 1, 1), date(2024, 12, 31))),
        ("tabled:2024-02", Dates("tabled", date(2024, 2, 1), date(2024, 2, 29))),
        ("answered:2020..", Dates("answered", date(2020, 1, 1), None)),
        ("corrected:..2023", Dates("corrected", None, date(2023, 12, 31))),
        ("tabled:2024-01-05..2024-03", Dates("tabled", date(2024, 1, 5), date(2024, 3, 31))),
        ("ORAL ORs", And((Word("oral"), Word("ors")))),
        ('a"b c"(c)', And((A, Phrase(("b", "c")), C))),
        ("NOT NOT a", Not(Not(A))),
    ],
)
def test_meanings(text, tree):
    assert parse(text).tree == tree
    assert parse(text).text == text


@pytest.mark.parametrize(
    ("text", "column", "said"),
    [
        ("", 1, "expected a word"),
        ("   ", 4, "expected a word"),
        ("fentanyls NEAR/10", 18, "expected a word after NEAR/10"),
        ("OR", 1, "expected a word before OR"),
        ("a OR", 5, "expected a word after OR"),
        ("a OR  ", 7, "expected a word after OR"),
        ("a OR OR b", 6, "expected a word after OR"),
        ("a AND NOT", 10, "expected a word after NOT"),
        ("(a", 3, "expected a closing bracket (for the one at column 1)"),
        ("a)", 2, "no bracket is open"),
        ("()", 2, "expected a word after ("),
        ('a "b c', 7, "expected a closing quotation mark (for the one at column 3)"),
        ("a NEAR b", 7, "expected a number after NEAR"),
        ("a NEAR/x b", 8, "expected a number after NEAR"),
        ("a NEAR/10b c", 8, "expected a number after NEAR"),
        ("a NEAR/0 b", 8, "expected a distance of 1 or more"),
        ("a NEAR/2 b NEAR/2 c", 12, "expected AND or OR after a NEAR"),
        ("NOT a NEAR/3 b", 1, "beside NEAR/3"),
        ("(a b) NEAR/3 c", 1, "beside NEAR/3"),
        ("*", 1, "two letters or more before the star"),
        ("x y*", 3, "two letters or more before the star"),
        ("tra*f", 4, "a star can only end a word"),
        ("cocaine, heroin", 8, "a comma is not needed"),
        ("cocaine near/5 heroin", 9, "did you mean NEAR/10?"),
        ("cocaine or heroin OR", 21, "did you mean OR in capitals?"),
        ("a | b", 3, "did you mean OR?"),
        ("+a", 1, "a plus is not needed"),
        ("a -", 4, "expected a word right after -"),
        ("–a b", 2, "expected a word right after -"),
        ("caf\udce9", 4, "cannot be stored"),
        ('heading:"a\x00b"', 11, "cannot be stored"),
        ("\U0001f600", 1, "no letter or digit"),
        ("\U0001f600a (", 5, "expected a word after ("),
        ("a \u202e\u202c", 3, "no letter or digit"),
        ('""', 2, "expected a word"),
        ("=", 2, "expected a word after ="),
        ("dept:", 6, "expected a value after dept:"),
        ("dept: health", 6, "no space after a colon"),
        ("dept:(a OR b)", 6, "write dept:a OR dept:b"),
        ("a foo:bar", 3, "there is no field foo:"),
        ("deprtment:x", 1, "did you mean department:?"),
        ("question:(dept:x)", 11, "no field or part can stand within question:"),
        ("question:-x", 10, "after question:"),
        ("house:senate", 7, "commons, lords or scotland"),
        ("state:open", 7, "holding"),
        ("key:1", 5, "is no question key"),
        ("tabled:2024-13", 8, "no such day"),
        ("tabled:2023-02-29", 8, "no such day"),
        ("tabled:2024..2023", 8, "ends before it begins"),
        ("tabled:..", 8, "expected a date"),
        ("tabled:2020..yes", 14, "expected a date"),
        ("topic:cheese", 7, "there is no topic 'cheese'; known topics: drugs, gangs"),
    ],
)
def test_mistakes_are_answered_with_the_column(text, column, said):
    with pytest.raises(QueryError) as caught:
        parse(text, {"drugs": parse("drugs"), "gangs": parse("gangs")})
    assert caught.value.column == column
    assert said in str(caught.value)
    assert str(caught.value).startswith(f"query: column {column}: ")


@pytest.mark.parametrize(
    "text", ["NOT x", "-a -b", "a OR NOT b", "NOT dept:health", "question:(NOT a)", "a OR (b OR -c)"]
)
def test_what_can_match_everything_is_refused(text):
    with pytest.raises(QueryError, match="everything") as caught:
        parse(text)
    assert caught.value.column is None


def test_limits():
    parse("a" * 2_000)
    parse(" ".join(["ab"] * 200))
    parse("(" * 20 + "a" + ")" * 20)
    for text, said in [
        ("a" * 2_001, "2,000 characters"),
        (" ".join(["ab"] * 201), "200 terms"),
        ("(" * 21 + "a" + ")" * 21, "20 deep"),
        ("NOT " * 22 + "a", "20 deep"),
    ]:
        with pytest.raises(QueryError, match=said) as caught:
            parse(text)
        assert caught.value.column is None
    assert parse(" OR ".join(f"w{i}" for i in range(1_000)), limits=Limits(20_000, 1_000))


def test_bad_input_is_refused_in_milliseconds():
    parse("warm up")
    hostile = [
        "x" * 50_000,
        " OR ".join(["a"] * 1_000),
        "OR " * 600,
        "(" * 1_999,
        "(" * 900 + "a" + ")" * 900,
        "NOT " * 499 + "a",
        '"' * 1_999,
        "a NEAR/5 " * 220,
        "-" * 1_999,
        "a-" * 999,
        "\x00" * 2_000,
        "\u202e" * 2_000,
        "\ud800" * 2_000,
        "a:" * 999,
        "a*" * 999,
        "1,000" * 399,
    ]
    for text in hostile:
        started = time.process_time()
        with suppress(QueryError):
            parse(text)
        assert time.process_time() - started < 5, text[:20]  # a bound, not a target: it takes milliseconds


def test_topics_are_opened_where_they_are_read_and_stored_by_name():
    topics = {"drugs": parse("cocaine OR heroin")}
    query = parse("topic:drugs dept:health", topics)
    assert query.tree == And((Topic("drugs", Word("x")), Field("department", "health")))
    assert to_json(query.tree) == ["&", ["topic", "drugs"], [":", "department", "health"]]
    again = from_json(to_json(query.tree), {"drugs": parse("ketamine")})
    assert isinstance(again, And)
    assert isinstance(again.children[0], Topic)
    assert again.children[0].child == Word("ketamine")
    with pytest.raises(QueryError, match="no topic"):
        from_json(["topic", "drugs"])


@pytest.mark.parametrize(
    "data",
    [
        None,
        1,
        [],
        ["?"],
        ["*"],
        ["~", 1, "a"],
        ["in", "footer", "a"],
        ["-", "a", "b"],
        ["..", "tabled", "x", None],
        {"a": 1},
        [["a"]],
        ['"', 1],
    ],
)
def test_a_stored_form_that_cannot_be_read_is_an_error(data):
    with pytest.raises(QueryError):
        from_json(data)


def test_advice_for_operators_in_small_letters():
    assert advice("cocaine or heroin") == ["did you mean OR in capitals?"]
    assert advice('"cocaine or heroin" OR oral') == []


def test_query_is_a_tree_with_its_text():
    assert parse("a") == Query(A, "a")
