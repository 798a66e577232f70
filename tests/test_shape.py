"""The JSON shape of a question, both ways."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.document import document
from storage.records import (
    Attachment,
    Body,
    Content,
    Discrepancy,
    House,
    Kind,
    Member,
    PageRef,
    Record,
    Sighting,
    State,
    Version,
)
from storage.shape import from_shape, to_shape, url_of
from storage.store import StorageError

SEEN = datetime(2024, 11, 7, 0, 8, 10, tzinfo=UTC)
CONTENT = Content(
    house=House.COMMONS, uin="12732", tabled_on=date(2024, 11, 5), due_on=date(2024, 11, 11), heading="Ports: Scanners",
    answering_body=Body("Home Office", 1), asking_member=Member("Ann Example", 4277, "Labour", "Anytown"),
    question_text="To ask how many scanners there are.", answer_text="There are 12.", answer_html="<p>There are 12.</p>",
    answering_member=Member("Bo Sample"), answered_on=date(2024, 11, 11), corrected_on=date(2024, 11, 18),
    grouped_with=("commons/2024-11-05/12733",), attachments=(Attachment("Table", "https://example.org/t.xlsx", "xlsx", 7),),
)  # fmt: skip
VERSION = Version(
    number=1, kind=Kind.TABLED, kinds=(Kind.TABLED,), changed=("question_text",), observed_at=SEEN, source="parliament",
    page=PageRef("ab" * 32), content=Content(house=House.COMMONS, question_text="To ask"),
)  # fmt: skip
RECORD = Record(
    key="commons/2024-11-05/12732", content=CONTENT, official_id=1739631, overdue_after=date(2024, 11, 14), ever_corrected=True,
    mentions=("commons/2024-10-01/1",), mentioned_by=("commons/2024-12-01/2",),
    sources=(Sighting("parliament", "1739631", "https://example.org/q", SEEN, SEEN),),
    discrepancies=(Discrepancy("theyworkforyou", "answer_text", "12", "13"),), versions=(VERSION,),
)  # fmt: skip

# The shape as the documentation prints it: order and nesting, not values.
DOCUMENTED = """
{"key": 1, "house": 1, "uin": 1, "official_id": 1, "provisional": 1, "url": 1, "tabled_on": 1, "due_on": 1, "overdue_after": 1,
 "named_day": 1, "state": 1, "heading": 1, "answering_body": {"id": 1, "name": 1},
 "asking_member": {"id": 1, "name": 1, "party": 1, "member_for": 1}, "declared_interest": 1, "question_text": 1,
 "answer_text": 1, "answer_html": 1, "pro_forma": 1, "answering_member": {"id": 1, "name": 1, "party": 1, "member_for": 1},
 "answered_on": 1, "holding_on": 1, "corrected_on": 1, "grouped_with": [], "attachments": [{"title": 1, "url": 1, "type": 1, "bytes": 1}],
 "topics": [], "mentions": [], "mentioned_by": [],
 "sources": [{"source": 1, "source_id": 1, "url": 1, "first_seen": 1, "last_seen": 1}],
 "discrepancies": [{"source": 1, "field": 1, "here": 1, "there": 1}],
 "versions": [{"number": 1, "kind": 1, "kinds": [], "observed_at": 1, "source": 1, "changed": [], "state": 1, "question_text": 1,
  "answer_text": 1, "page_sha256": 1, "backfilled": 1, "reconstructed": 1}]}
"""


def outline(value: Any) -> Any:
    """Names in their order, without the values."""
    if isinstance(value, dict):
        return [(name, outline(inner)) for name, inner in value.items()]
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [outline(value[0])]
    return None


def test_names_and_order_are_those_documented() -> None:
    assert outline(to_shape(RECORD, versions=True)) == outline(json.loads(DOCUMENTED))


def test_versions_only_where_asked_for() -> None:
    assert "versions" not in to_shape(RECORD)


def test_values() -> None:
    shape = to_shape(RECORD, versions=True, topics=["drugs"])
    assert (
        shape["url"] == "https://questions-statements.parliament.uk/written-questions/detail/2024-11-05/12732"
    )
    assert (shape["tabled_on"], shape["overdue_after"]) == ("2024-11-05", "2024-11-14")
    assert (shape["state"], shape["holding_on"]) == ("corrected", None)
    assert shape["sources"][0]["first_seen"] == "2024-11-07T00:08:10Z"
    assert shape["versions"][0]["kinds"] == ["tabled"]
    assert (shape["topics"], shape["mentions"]) == (["drugs"], ["commons/2024-10-01/1"])
    json.dumps(shape)


def test_a_position_is_shown_where_a_source_gives_one() -> None:
    content = replace(CONTENT, answering_member=Member("Bo Sample", position="Minister of State"))
    assert to_shape(replace(RECORD, content=content))["answering_member"]["position"] == "Minister of State"


def test_what_a_source_alone_tells_stands_under_it() -> None:
    seen = replace(RECORD.sources[0], extras={"votes_yes": 3, "language": "cy"})
    shape = to_shape(replace(RECORD, sources=(seen,)))
    assert shape["sources"][0]["extras"] == {"votes_yes": 3, "language": "cy"}
    with pytest.raises(StorageError, match="'extras' must be an object of texts and whole numbers"):
        from_shape(shape | {"sources": [shape["sources"][0] | {"extras": {"votes_yes": [3]}}]})


def test_a_feed_item_has_the_address_of_its_source() -> None:
    item = Record(
        key="feed/example.org/0123456789abcdef",
        content=Content(heading="News", answered_on=date(2024, 1, 1), links=("commons/2024-11-05/12732",)),
        sources=(Sighting("feeds", "g", "https://example.org/news", SEEN, SEEN),),
    )
    shape = to_shape(item)
    assert (shape["house"], shape["state"], shape["url"]) == (None, "published", "https://example.org/news")
    assert shape["mentions"] == ["commons/2024-11-05/12732"]
    assert from_shape(shape).state is State.PUBLISHED


def test_without_day_and_source_there_is_no_address() -> None:
    assert (
        url_of(Record(key="commons/answered-2009-10-26/294178", content=Content(house=House.COMMONS))) is None
    )


def test_an_empty_document_is_an_empty_record() -> None:
    assert from_shape({}) == Record(key="", content=Content(), stateless=True)
    assert from_shape({"key": "x", "answer_text": "", "topics": ["drugs"], "labelled": 1}) == Record(
        key="x", content=Content(), stateless=True
    )


def test_what_is_absent_within_an_object_is_empty_too() -> None:
    record = from_shape({"answering_body": {"id": 1}, "asking_member": {"party": "Labour"}, "attachments": [{"title": "a"}],
                         "sources": [{"source": "feeds"}], "discrepancies": [{}]})  # fmt: skip
    assert (record.content.answering_body, record.content.asking_member) == (
        Body("", 1),
        Member("", None, "Labour"),
    )
    assert (record.content.attachments, record.sources[0].source) == ((Attachment("a", ""),), "feeds")


def test_no_state_holds_of_a_document_that_names_none() -> None:
    fields = document(from_shape({"answered_on": "2024-11-11", "overdue_after": "2024-11-01"})).fields
    assert not [field for field in fields if field.startswith("state:")]
    assert "state:holding" in document(from_shape({"state": "holding"})).fields


def test_a_stated_state_stands_without_its_dates() -> None:
    record = from_shape({"house": "Commons", "state": "answered", "answer_text": "Yes."})
    assert (record.state, record.stated, record.content.answered_on) == (State.ANSWERED, State.ANSWERED, None)
    assert from_shape({"house": "Commons", "state": "corrected"}).ever_corrected
    assert from_shape({"house": "Lords", "state": "withdrawn"}).stated is None, "that one is in the content"


def test_versions_tell_of_a_correction() -> None:
    record = from_shape(to_shape(RECORD, versions=True) | {"corrected_on": None, "state": "answered",
                        "versions": [{"number": 1, "state": "answered"}, {"number": 2, "state": "corrected"}]})  # fmt: skip
    assert (record.ever_corrected, record.number) == (True, 2)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "must be a JSON object, not []"),
        ({"tabled_on": "5 November"}, "'tabled_on' must be a date such as 2024-11-05, not '5 November'"),
        ({"tabled_on": "2024-02-30"}, "'tabled_on' must be a date such as 2024-11-05, not '2024-02-30'"),
        ({"tabled_on": "2024-W45-2"}, "'tabled_on' must be a date such as 2024-11-05, not '2024-W45-2'"),
        ({"house": "Senate"}, "'house' must be one of Commons, Lords, Scottish Parliament, not 'Senate'"),
        ({"named_day": "yes"}, "'named_day' must be true or false, not 'yes'"),
        ({"official_id": True}, "'official_id' must be a whole number, not True"),
        ({"heading": 5}, "'heading' must be a text, not 5"),
        ({"grouped_with": ["a", 1]}, "'grouped_with' must be a list of texts, not ['a', 1]"),
        ({"attachments": {}}, "'attachments' must be a list of objects, not {}"),
        ({"attachments": ["x"]}, "expected a JSON object, not 'x'"),
        ({"asking_member": {"name": 1}}, "'name' must be a text, not 1"),
        ({"answering_body": "Home Office"}, "'answering_body' must be an object, not 'Home Office'"),
        ({"sources": [{"source": "x", "first_seen": "now"}]}, "'first_seen' must be a time such as 2024-11-07T00:08:10Z, not 'now'"),
        ({"sources": [{"source": "x", "first_seen": "2024-11-07T00:08:10"}]}, "'first_seen' must be a time"),
        ({"sources": [{"source": "x", "first_seen": "0001-01-01T00:00:00+05:00"}]}, "'first_seen' must be a time"),
        ({"question_text": ["x" * 5000]}, "not ['xxx"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named(document: Any, message: str) -> None:
    with pytest.raises(StorageError, match=re.escape(message)) as caught:
        from_shape(document)
    assert len(str(caught.value)) < 200


WORDS = st.none() | st.text(min_size=1, max_size=20)
DAYS = st.none() | st.dates()
MEMBERS = st.none() | st.builds(Member, st.text(min_size=1), st.none() | st.integers(), WORDS, WORDS, WORDS)
TIMES = st.integers(1_400_000_000, 1_900_000_000).map(lambda second: datetime.fromtimestamp(second, UTC))
EXTRAS = st.dictionaries(st.text(), st.text() | st.integers(), max_size=2)
KEYS = st.lists(st.just("commons/2024-11-05/1"), max_size=2).map(tuple)
CONTENTS = st.builds(
    Content, house=st.none() | st.sampled_from(House), uin=WORDS, tabled_on=DAYS, due_on=DAYS, named_day=st.booleans(),
    heading=WORDS, answering_body=st.none() | st.builds(Body, st.text(min_size=1), st.none() | st.integers()), asking_member=MEMBERS,
    declared_interest=st.booleans(), question_text=WORDS, answer_text=WORDS, answer_html=WORDS, answering_member=MEMBERS,
    answered_on=DAYS, holding_on=DAYS, corrected_on=DAYS, grouped_with=KEYS,
    attachments=st.lists(st.builds(Attachment, st.text(), st.text(min_size=1), WORDS, st.none() | st.integers()), max_size=2).map(tuple),
)  # fmt: skip
RECORDS = st.builds(
    Record, key=st.text(), content=CONTENTS, official_id=st.none() | st.integers(), provisional=st.booleans(), overdue_after=DAYS,
    pro_forma=st.booleans(), mentions=st.just(()) | st.just(("commons/2024-10-01/1",)), mentioned_by=KEYS,
    sources=st.lists(st.builds(Sighting, st.text(min_size=1), st.text(), st.text(), TIMES, TIMES, EXTRAS), max_size=2).map(tuple),
    discrepancies=st.lists(st.builds(Discrepancy, st.text(min_size=1), st.text(min_size=1), WORDS, WORDS), max_size=2).map(tuple),
)  # fmt: skip


@given(RECORDS)
def test_there_and_back(record: Record) -> None:
    record = replace(record, ever_corrected=record.content.corrected_on is not None)
    assert from_shape(json.loads(json.dumps(to_shape(record)))) == record


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(list(json.loads(DOCUMENTED))), inner)
        ),
        max_leaves=12,
    )
)
def test_any_json_is_a_record_or_a_clear_error(document: Any) -> None:
    with suppress(StorageError):
        from_shape(document)
