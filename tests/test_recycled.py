"""Answers that repeat an earlier one: the rule, the pairs of a period, the page of a question, and the commands."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pqwatch.cli.entry import run
from pqwatch.recycled import Answer, answer_of, best, earlier, repeats, share
from storage import questions
from storage.ingest import ingest
from storage.store import Store
from tests.helpers import JUSTICE, NOW, answered, content, feed_item, holding, observation
from tests.web import visitor

SAID = (
    "The Government takes the supply of illegal drugs extremely seriously and is working with Border Force and the National"
    " Crime Agency to disrupt organised trafficking networks at the frontier and upstream. Some 412 kilograms of cocaine were seized."
)
EARLY, LATE = date(2025, 3, 4), date(2025, 3, 7)
MARCH = date(2025, 3, 1), date(2025, 3, 31)


def made(text: str, day: date = LATE, key: str = "later", department: str = "Home Office") -> Answer:
    return Answer(key, department, day, tuple(text.lower().split()))


def test_the_share_counts_words_in_runs_that_both_have() -> None:
    words = [f"word{n}" for n in range(40)]
    text = " ".join(words)
    assert share(made(text), made(text)) == 1
    one_other = " ".join([*words[:20], "other", *words[21:]])
    assert share(made(one_other), made(text)) == pytest.approx(39 / 40)
    assert share(made(text), made(" ".join(reversed(words)))) == 0
    assert (
        share(made(" ".join([*words[:4], *("x" * n for n in range(1, 37))])), made(text)) == 0
    )  # runs of five


@given(
    st.lists(st.sampled_from("abcdef"), min_size=5, max_size=60),
    st.lists(st.sampled_from("abcdef"), min_size=5, max_size=60),
)
def test_the_share_is_that_of_every_word_looked_at_alone(one: list[str], other: list[str]) -> None:
    runs = {tuple(other[at : at + 5]) for at in range(len(other) - 4)}
    held = [
        any(tuple(one[at : at + 5]) in runs for at in range(max(0, i - 4), min(i, len(one) - 5) + 1))
        for i in range(len(one))
    ]
    assert share(made(" ".join(one)), made(" ".join(other))) == pytest.approx(sum(held) / len(one))


def test_only_an_earlier_day_of_the_same_department_counts() -> None:
    assert (
        best(made(SAID), [made(SAID, LATE, "same day"), made(SAID, EARLY, "elsewhere", "Treasury")]) is None
    )
    older = made(SAID, date(2024, 1, 1), "older")
    found = best(made(SAID), [older, made(SAID, EARLY, "early")])
    assert found is not None
    assert found.earlier.key == "early"
    half = " ".join(SAID.split()[:15])
    assert (
        best(
            made(f"{half} and something wholly other in all that follows here and there and everywhere"),
            [older],
        )
        is None
    )


def test_what_is_no_substantive_answer_is_not_judged() -> None:
    assert answer_of("k", answered(SAID)) is not None
    for other in (answered("Too short."), holding(SAID), content(), feed_item().content):
        assert answer_of("k", other) is None


def test_the_pairs_of_a_period() -> None:
    near = SAID.replace("412", "530")
    other = " ".join(f"unlike{n}" for n in range(30))
    shown = [
        made(SAID, date(2024, 5, 1), "a"),
        made(near, EARLY, "b"),
        made(near, LATE, "c"),
        made(other, LATE, "d"),
    ]
    assert [(r.later.key, r.earlier.key, round(r.share, 2)) for r in repeats(shown, *MARCH)] == [
        ("b", "a", 0.97),
        ("c", "b", 1.0),
    ]
    assert list(repeats(shown, date(2025, 3, 8), date(2025, 3, 31))) == []


@pytest.fixture
def held(store: Store) -> Store:
    shown = [
        answered(SAID, uin="1", answered_on=EARLY),
        answered(SAID.replace("412", "530"), uin="2", answered_on=LATE),
        answered(SAID, uin="3", answered_on=LATE, answering_body=JUSTICE),
        answered("Not a word of it is the same. " * 9, uin="4", answered_on=LATE),
        answered(SAID, uin="5", answered_on=LATE, question_text="To ask about ships.", heading="<b>"),
    ]
    ingest(store, [observation(each) for each in shown], now=NOW)
    return store


def test_the_index_leads_to_the_earlier_answer(held: Store) -> None:
    told = {}
    with held.read() as conn:
        for record in questions.iterate(conn):
            found = earlier(conn, record)
            told[record.content.uin] = found and (found.earlier.key, round(found.share, 2))
    first = "commons/2025-03-03/1"
    assert told == {"1": None, "2": (first, 0.97), "3": None, "4": None, "5": (first, 1.0)}


def test_the_page_of_a_question_tells(held: Store, tmp_path: Path) -> None:
    client = visitor(held, tmp_path)
    page = client.get("/commons/2025-03-03/2").text
    assert "97% of its words repeat the department’s answer of 4 March 2025 to" in page
    assert 'href="/commons/2025-03-03/1"' in page
    assert "of its words repeat" not in client.get("/commons/2025-03-03/1").text


def told(capsys: pytest.CaptureFixture[str], database_url: str, *args: str) -> Any:
    assert run(["--database", database_url, "--now", "2025-04-01T09:00Z", *args, "--json"]) == 0
    return orjson.loads(capsys.readouterr().out)


def test_recycled_lists_the_pairs_and_counts_by_department(
    held: Store, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    said = told(capsys, database_url, "recycled", "--from", "2025-03-05")
    pairs = [(each["key"][-1], each["repeats"][-1], each["share"]) for each in said["items"]]
    assert pairs == [("2", "1", 0.974), ("5", "1", 1.0)]
    assert said["departments"] == [
        {"department": "Home Office", "answers": 3, "recycled": 2},
        {"department": "Ministry of Justice", "answers": 1, "recycled": 0},
    ]
    # both of a pair must match
    assert told(capsys, database_url, "recycled", "ships OR uin:1")["total"] == 1
    assert told(capsys, database_url, "recycled", "ships")["total"] == 0
    assert run(["--database", database_url, "recycled", "--from", "2025-03-05", "--to", "2025-03-01"]) == 2
    assert run(["--database", database_url, "--now", "2025-04-01T09:00Z", "recycled"]) == 0
    assert "commons/2025-03-03/5" in capsys.readouterr().out


def test_timeliness_is_what_the_export_gives(
    held: Store, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    said = told(capsys, database_url, "timeliness")
    everyone, home, justice = said["departments"]
    assert (everyone["tabled"], everyone["answered"], everyone["median_days"]) == (5, 5, 4)
    assert (home["department"], home["tabled"], home["on_time"], home["judged"]) == ("Home Office", 4, 4, 4)
    assert (justice["department"], justice["share_on_time"], justice["share_holding"]) == (
        "Ministry of Justice",
        1.0,
        0.0,
    )
    assert told(capsys, database_url, "timeliness", "ships")["departments"][0]["tabled"] == 1
    assert told(capsys, database_url, "timeliness", "--to", "2025-03-02")["departments"] == []
    assert run(["--database", database_url, "--now", "2025-04-01T09:00Z", "timeliness"]) == 0
    shown = capsys.readouterr()
    assert "Home Office" in shown.out
    assert "median" in shown.err
