"""Hashes that must never move by accident, and the JSON they stand on."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.content import FIELDS, content_from_json, content_to_json
from storage.fingerprint import digest, even, layout, meaning
from storage.records import Attachment, Body, Content, House, Member
from tests.helpers import answered, at, content, observation

FULL = Content(
    house=House.LORDS,
    uin="HL4664",
    tabled_on=date(2024, 5, 14),
    due_on=date(2024, 5, 28),
    named_day=True,
    heading="Drugs: Smuggling",
    answering_body=Body("Home Office", 1),
    asking_member=Member("Ann", 1, "Labour", "Life peer", "Chair"),
    declared_interest=True,
    question_text="To ask",
    answer_text="One\nTwo",
    answer_html="<p>One</p><p>Two</p>",
    answering_member=Member("Ben"),
    answered_on=date(2024, 5, 20),
    holding_on=date(2024, 5, 16),
    corrected_on=date(2024, 5, 21),
    withdrawn=True,
    lapsed=True,
    grouped_with=("lords/2024-05-14/HL4665",),
    attachments=(
        Attachment("T", "https://example.org/t"),
        Attachment("U", "https://example.org/u", "text/csv", 9),
    ),
    links=("lords/2024-05-14/HL1",),
)


def test_full_has_every_field() -> None:
    assert all(getattr(FULL, each.name) != each.default for each in fields(Content))


def test_the_hashes_of_rule_one_are_pinned() -> None:
    assert meaning(Content()).hex() == "01d4af6a4ae19ca6eb11cb47c84cea6d"
    assert meaning(FULL).hex() == "012edd187d26277884f6b803d26cb70f"
    assert layout(FULL).hex() == "015296052a6ff7a980621c967935959b"
    assert (
        digest(observation(content=FULL, key="lords/2024-05-14/HL4664")).hex()
        == "1507d1c3697931033766a06d0b70d941"
    )


def test_json_holds_every_field_and_leaves_out_the_empty() -> None:
    assert set(content_to_json(FULL)) == set(FIELDS)
    assert content_to_json(Content()) == {}
    assert content_from_json(content_to_json(FULL)) == FULL


def test_an_unknown_field_is_an_error() -> None:
    with pytest.raises(TypeError):
        content_from_json({"hedding": "Drugs"})


@pytest.mark.parametrize("name", [name for name in FIELDS if name != "answer_html"])
def test_every_field_means_something(name: str) -> None:
    assert meaning(replace(FULL, **{name: getattr(Content(), name)})) != meaning(FULL)


@pytest.mark.parametrize(
    ("one", "other"),
    [("a b", "a\n b"), ("a b", "a\u00a0\tb "), ("ab", "a\u200bb"), ("a b", "a\u202fb")],
)
def test_white_space_is_layout(one: str, other: str) -> None:
    assert meaning(content(question_text=one)) == meaning(content(question_text=other))
    assert layout(content(question_text=one)) != layout(content(question_text=other))


@pytest.mark.parametrize(("one", "other"), [("don't", "don’t"), ("a-b", "a–b"), ("a b", "ab"), ("A", "a")])
def test_typography_is_meaning(one: str, other: str) -> None:
    assert meaning(answered(one)) != meaning(answered(other))


def test_markup_is_layout() -> None:
    one, other = answered(answer_html="<p>x</p>"), answered(answer_html="<p><b>x</b></p>")
    assert meaning(one) == meaning(other)
    assert layout(one) != layout(other)


def test_the_digest_tells_views_apart() -> None:
    one = observation()
    assert digest(one) == digest(replace(one, observed_at=at(9), row_digest="x"))
    assert digest(one) != digest(replace(one, seen=one.seen - {"heading"}))
    assert digest(one) != digest(replace(one, key="commons/2025-03-04/35566"))
    assert digest(one) != digest(replace(one, url="https://example.org/other"))
    assert digest(one) != digest(replace(one, content=answered()))
    assert digest(one) != digest(replace(one, extras={"votes_yes": 1}))


@given(st.text())
def test_evening_twice_is_evening_once(text: str) -> None:
    assert even(even(text)) == even(text)
