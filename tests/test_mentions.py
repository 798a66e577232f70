"""References between questions: found in texts of our own, resolved against both databases."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, select

from storage import schema
from storage.mentions import Mention, record, references, resolve, settle
from storage.records import Content, House
from storage.store import Store

NOW = datetime(2025, 4, 1, 9, tzinfo=UTC)
C, L = House.COMMONS, House.LORDS


def asked(text: str, tabled_on: date = date(2025, 3, 20), **fields: object) -> Content:
    return Content(house=C, uin="40000", tabled_on=tabled_on, question_text=text, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "pursuant to the Answer of 3 March 2025 to Question 35566 on Ports",
            [("35566", date(2025, 3, 3), "answered")],
        ),
        ("pursuant to the Answer of 3 March to Question 35566", [("35566", date(2025, 3, 3), "answered")]),
        (
            "pursuant to the Answer of 24 December to Question 35566",
            [("35566", date(2024, 12, 24), "answered")],
        ),
        (
            "with reference to the Answer of 16 October 2024 to Question HL1248, on Ports",
            [("HL1248", date(2024, 10, 16), "answered")],
        ),
        (
            "I refer the hon. Member to the answer given on 14 May 2024 to Question 25555.",
            [("25555", date(2024, 5, 14), "answered")],
        ),
        (
            "I refer my hon. Friend to the answer to Question HL123 on 4 March.",
            [("HL123", date(2025, 3, 4), "answered")],
        ),
        (
            "the answer given to Question UIN 10319 on 29 October 2024",
            [("10319", date(2024, 10, 29), "answered")],
        ),
        (
            "the answer given on Tuesday 4 March 2025 to PQ UIN 68763",
            [("68763", date(2025, 3, 4), "answered")],
        ),
        ("UIN 12345, tabled on 3 March 2025", [("12345", date(2025, 3, 3), "tabled")]),
        (
            "when she plans to reply to Question 2676 on Housing: Finance, tabled on 2 March 2025",
            [("2676", date(2025, 3, 2), "tabled")],
        ),
        (
            "my answer of 14 October 2024, Official Report, PQ 6091.",
            [("6091", date(2024, 10, 14), "answered")],
        ),
        (
            "pursuant to the answer of 24 March 2025 to WPQ 120039,",
            [("120039", date(2025, 3, 24), "answered")],
        ),
        ("the answer given on 12 November 2024 to PQ12617", [("12617", date(2024, 11, 12), "answered")]),
        (
            "pursuant to the Answers of 12 March 2025 to Questions (a) 35320 and (b) 35322 on Fuels",
            [("35320", date(2025, 3, 12), "answered"), ("35322", date(2025, 3, 12), "answered")],
        ),
        (
            "pursuant to the Answers of 4 and 5 March to Questions 35320 and 35322",
            [("35320", date(2025, 3, 4), "answered"), ("35322", date(2025, 3, 5), "answered")],
        ),
        (
            "pursuant to the Answers of 14 October to Questions 7569 on Needs and 7570 on Units, how many",
            [("7569", date(2024, 10, 14), "answered"), ("7570", date(2024, 10, 14), "answered")],
        ),
        (
            "pursuant to the Answer of 31 July 2024 to Question 1207 on Media and the Answer of 15 October 2024 to Question 7434",
            [("1207", date(2024, 7, 31), "answered"), ("7434", date(2024, 10, 15), "answered")],
        ),
        ("I refer the hon. Member to PQ 12545.", [("12545", None, None)]),
        ("the answer of my noble Friend (HL7159)", [("HL7159", None, None)]),
    ],
)
def test_wordings(text: str, expected: list[tuple[str, date | None, str | None]]) -> None:
    found = references(asked(text))
    assert [(mention.uin, mention.day, mention.day_is) for mention in found] == expected
    assert all(mention.house is (L if mention.uin.startswith("HL") else C) for mention in found)


@pytest.mark.parametrize(
    "text",
    [
        "how many of the 35,566 questions were answered on 3 March 2025",
        "with reference to question 12 of the survey",
        "the report of the Lords Committee, HL Paper 258, published on 20 October 2023",
        "Questions 4 March 2025",
        "her answer in Business Questions of 17 October 2024, Official Report, column 1000",
        "the answer to Q13 of the oral evidence",
        "in 2024 and 2025",
        "the answer of 31 February 2025 to Question 12",
    ],
)
def test_what_is_no_reference(text: str) -> None:
    assert references(asked(text)) == ()


@pytest.mark.parametrize(
    "address",
    [
        "https://questions-statements.parliament.uk/written-questions/detail/2025-03-04/35566",
        "https://questions-statements.parliament.uk/written-questions/detail/2025-03-04/35566/",
        "https://www.parliament.uk/business/publications/written-questions-answers-statements/written-question/Commons/2025-03-04/35566/",
        "https://www.theyworkforyou.com/wrans/?id=2025-03-04.35566.h&s=ports",
        "http://www.theyworkforyou.com/wrans/?id=2025-03-04.35566.q0",
    ],
)
def test_links_give_the_key_itself(address: str) -> None:
    html = f'<p>See Question UIN <a href="{address}">35566</a> on 10 March 2025</p>'
    content = Content(
        house=C, uin="1", answer_html=html, answer_text="See Question UIN 35566 on 10 March 2025"
    )
    assert [mention.key for mention in references(content)] == ["commons/2025-03-04/35566"], (
        "the day of the answer adds nothing to it"
    )


def test_a_link_in_lower_case_to_the_lords() -> None:
    text = "see questions-statements.parliament.uk/written-questions/detail/2024-05-14/hl4664"
    assert [mention.key for mention in references(asked(text))] == ["lords/2024-05-14/HL4664"]


def test_a_link_to_a_day_that_is_none() -> None:
    assert references(asked("/written-questions/detail/2024-02-31/4664")) == ()


def test_answers_count_years_from_the_day_of_the_answer() -> None:
    content = Content(
        house=C, uin="1", tabled_on=date(2024, 12, 20), answered_on=date(2025, 1, 8),
        answer_text="I refer the hon. Member to my answer of 6 January to Question 19356.",
    )  # fmt: skip
    assert [mention.key for mention in references(content)] == ["commons/answered-2025-01-06/19356"]


def test_a_question_never_mentions_itself() -> None:
    own = "/written-questions/detail/2025-03-20/40000"
    assert references(asked(f"pursuant to Question 40000, tabled on 20 March 2025, {own}")) == ()


def test_of_a_feed_item_links_count_and_what_its_source_found() -> None:
    item = Content(
        links=("commons/2025-01-02/7",),
        answer_text="Question 3456 is worth reading.",
        answer_html='<a href="https://questions-statements.parliament.uk/written-questions/detail/2025-03-04/35566">it</a>',
    )
    assert [mention.key for mention in references(item)] == [
        "commons/2025-01-02/7",
        "commons/2025-03-04/35566",
    ]


@given(st.text(max_size=500), st.none() | st.dates())
def test_any_text_is_read(text: str, day: date | None) -> None:
    references(Content(house=C, uin="1", tabled_on=day, question_text=text, answer_html=text))


@given(
    st.lists(
        st.sampled_from(
            [
                "Question ",
                "Questions ",
                "UIN ",
                "HL",
                "35566",
                "12",
                " and ",
                ", ",
                " of 3 March",
                " 2025",
                " to ",
                "answer",
                " tabled on ",
                "(a) ",
                ". ",
            ]
        ),
        max_size=40,
    )
)
def test_any_order_of_its_own_words_is_read(parts: list[str]) -> None:
    for mention in references(asked("".join(parts))):
        assert mention.uin.removeprefix("HL").isdigit()


def test_a_hostile_text_takes_no_longer_than_its_length() -> None:
    references(asked("Question 1, " * 80_000 + "3 March " * 80_000 + "answer of " * 50_000))


# --- against the database


def question_row(id_: int, key: str, **fields: object) -> dict[str, object]:
    """A row of `questions` with something of the right type wherever the table wants a value."""
    slug, day, uin = key.split("/")
    house = C if slug == "commons" else L
    known = {
        "id": id_,
        "key": key,
        "house": house.value,
        "uin": uin,
        "tabled_on": date.fromisoformat(day),
        **fields,
    }
    makers = {bool: False, int: id_, str: "x", bytes: b"x", datetime: NOW}
    wanted = [
        column for column in schema.questions.columns if not column.nullable and column.name not in known
    ]
    return known | {column.name: makers.get(column.type.python_type, NOW) for column in wanted}


def hold(store: Store, id_: int, key: str, **fields: object) -> None:
    with store.write() as conn:
        conn.execute(insert(schema.questions).values(**question_row(id_, key, **fields)))


def rows(store: Store) -> set[tuple[int, str]]:
    with store.read() as conn:
        return {(row.question_id, row.key) for row in conn.execute(select(schema.mentions))}


def say(store: Store, id_: int, key: str, content: Content) -> None:
    with store.write() as conn:
        record(conn, {id_: (key, content)})
        settle(conn, {id_: (key, content)})


SPEAKER = ("commons/2025-03-20/40000", asked("pursuant to the Answer of 3 March 2025 to Question 35566"))


def test_a_held_question_is_found_by_the_day_of_its_answer(store: Store) -> None:
    hold(store, 1, "commons/2025-02-26/35566", answered_on=date(2025, 3, 3))
    hold(store, 2, SPEAKER[0])
    say(store, 2, *SPEAKER)
    assert rows(store) == {(2, "commons/2025-02-26/35566")}


def test_commentary_finds_a_held_question_by_the_day_of_its_answer_or_by_its_heading(store: Store) -> None:
    hold(store, 1, "commons/2025-02-26/35566", answered_on=date(2025, 3, 3))
    hold(store, 3, "commons/2018-06-21/906096", heading="Drugs: Smuggling")
    hold(store, 4, "commons/2026-06-21/906096", heading="Buses")
    hold(store, 2, SPEAKER[0])
    link = "https://www.parallelparliament.co.uk/question"
    item = Content(
        links=("commons/answered-2025-03-03/35566",),
        answer_html=f'<p><a href="{link}/906096/drugs-smuggling">one</a>, <a href="{link}/1/trams">not held</a></p>',
    )
    say(store, 2, "feed/blog.example/0123456789abcdef", item)
    assert rows(store) == {(2, "commons/2025-02-26/35566"), (2, "commons/2018-06-21/906096")}


def test_a_reference_waits_until_the_other_question_arrives(store: Store) -> None:
    hold(store, 2, SPEAKER[0])
    say(store, 2, *SPEAKER)
    assert rows(store) == {(2, "commons/answered-2025-03-03/35566")}
    hold(store, 1, "commons/2025-02-26/35566", answered_on=date(2025, 3, 3))
    other = Content(house=C, uin="35566", tabled_on=date(2025, 2, 26), answered_on=date(2025, 3, 3))
    say(store, 1, "commons/2025-02-26/35566", other)
    assert rows(store) == {(2, "commons/2025-02-26/35566")}


def test_settling_joins_two_references_to_one_question(store: Store) -> None:
    text = "Answer of 3 March 2025 to Question 35566, see /written-questions/detail/2025-02-26/35566"
    hold(store, 2, SPEAKER[0])
    hold(store, 1, "commons/2025-02-26/35566", answered_on=date(2025, 3, 3))
    with store.write() as conn:
        conn.execute(insert(schema.mentions), [
            {"question_id": 2, "key": "commons/answered-2025-03-03/35566"}, {"question_id": 2, "key": "commons/2025-02-26/35566"},
        ])  # fmt: skip
    other = Content(
        house=C, uin="35566", tabled_on=date(2025, 2, 26), answered_on=date(2025, 3, 3), answer_text=text
    )
    with store.write() as conn:
        settle(conn, {1: ("commons/2025-02-26/35566", other)})
    assert rows(store) == {(2, "commons/2025-02-26/35566")}


def test_a_number_used_in_two_sessions_means_the_one_of_its_day(store: Store) -> None:
    hold(store, 1, "commons/2024-01-10/8888", answered_on=date(2024, 1, 20))
    hold(store, 2, "commons/2024-10-14/8888", answered_on=date(2024, 10, 22))
    hold(store, 3, "commons/2026-06-02/8888", answered_on=date(2026, 6, 9))
    hold(store, 4, "commons/2024-01-10/7777", answered_on=date(2024, 1, 20))
    mentions = [
        Mention(C, "8888", date(2024, 10, 22), "answered"),
        Mention(C, "8888", date(2024, 1, 25), "answered"),  # a few days wrong, yet in the session
        Mention(C, "8888", said_on=date(2025, 2, 1)),
        Mention(C, "8888", date(2022, 6, 1), "answered"),  # a session of which nothing is held
        Mention(C, "7777", date(2024, 10, 22), "answered"),  # held from the session before only
        Mention(C, "7777", said_on=date(2024, 10, 22)),
        Mention(C, "8888", date(2026, 6, 2), "tabled"),
        Mention(L, "HL8888", date(2024, 10, 22), "answered"),
    ]
    with store.read() as conn:
        found = resolve(conn, mentions)
    assert [found[mention] for mention in mentions] == [
        "commons/2024-10-14/8888",
        "commons/2024-01-10/8888",
        "commons/2024-10-14/8888",
        "commons/answered-2022-06-01/8888",
        "commons/answered-2024-10-22/7777",
        None,
        "commons/2026-06-02/8888",
        "lords/answered-2024-10-22/HL8888",
    ]


def test_a_reference_without_a_day_is_kept_only_when_it_can_be_resolved(store: Store) -> None:
    hold(store, 2, SPEAKER[0])
    say(store, 2, SPEAKER[0], asked("I refer the hon. Member to PQ 35566"))
    assert rows(store) == set()
    hold(store, 1, "commons/2025-02-26/35566")
    say(store, 2, SPEAKER[0], asked("I refer the hon. Member to PQ 35566"))
    assert rows(store) == {(2, "commons/2025-02-26/35566")}


def test_a_new_version_replaces_what_the_old_one_mentioned(store: Store) -> None:
    hold(store, 2, SPEAKER[0])
    say(store, 2, *SPEAKER)
    say(store, 2, SPEAKER[0], asked("no reference any more"))
    assert rows(store) == set()


def test_many_at_once(store: Store) -> None:
    texts = {n: asked(f"the Answer of 3 March 2025 to Question {50000 + n}") for n in range(1, 901)}
    for n in (1, 900):
        hold(store, n, f"commons/2025-02-26/{50000 + n}", answered_on=date(2025, 3, 3))
    with store.write() as conn:
        conn.execute(
            insert(schema.questions), [question_row(n, f"commons/2025-03-21/{n}") for n in range(2, 900)]
        )
        record(conn, {n: (f"commons/2025-03-21/{n}", content) for n, content in texts.items()})
    found = rows(store)
    assert len(found) == 900
    assert (1, "commons/2025-02-26/50001") in found
    assert (900, "commons/2025-02-26/50900") in found
    assert (450, "commons/answered-2025-03-03/50450") in found
