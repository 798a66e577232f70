"""Every field is accounted for."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.source import UnreadableError
from scraper.strict import Fields, load_json


def test_fields_are_taken_once_and_the_rest_is_drift():
    fields = Fields({"id": 5, "name": None, "new": 1}, "question 5")
    assert fields.take("id", int) == 5
    assert fields.opt("name", str) is None
    assert fields.leftovers() == ("new",)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({}, "row 1: id is missing"),
        ({"id": None}, "row 1: id is null, expected a whole number"),
        ({"id": "5"}, "row 1: id is text, expected a whole number"),
        ({"id": True}, "row 1: id is true or false, expected a whole number"),
        ([], "row 1 is a list, not an object"),
        (None, "row 1 is null, not an object"),
    ],
)
def test_what_is_missing_null_or_of_another_type_is_refused(value, message):
    with pytest.raises(UnreadableError, match=f"^{message}$"):
        Fields(value, "row 1").take("id", int)


def test_an_optional_field_must_be_there_and_of_its_type():
    with pytest.raises(UnreadableError, match="missing"):
        Fields({}, "row 1").opt("id", int)
    with pytest.raises(UnreadableError, match="expected text or null"):
        Fields({"id": 1}, "row 1").opt("id", str)


def test_json_with_stray_bytes_is_read():
    assert load_json(b'{"a": "\x91x\x92"}') == {"a": "‘x’"}
    assert load_json(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b'{"a": 1', b"[" * 100_000, b'{"a": NaN}', b"\xff\xfe{", b"nothing"]
)
def test_what_is_no_json_is_refused_with_its_beginning(body):
    with pytest.raises(UnreadableError, match="no JSON"):
        load_json(body)


@given(st.binary(max_size=40))
def test_no_bytes_crash_the_reader(body):
    with suppress(UnreadableError):
        load_json(body)
