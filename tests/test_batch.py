"""`pqwatch match` without its command line: queries and documents from lines, matches as lines."""

from __future__ import annotations

import gzip
import json
from datetime import date

import pytest

from alerts.batch import Tally, match_lines, open_lines, read_queries
from alerts.errors import AlertsError

DOCS = [
    {"key": "commons/2024-11-05/1", "house": "Commons", "answer_text": "Cocaine was seized."},
    {
        "key": "commons/2024-11-05/2",
        "house": "Commons",
        "heading": "Drugs",
        "question_text": "county lines",
        "overdue_after": "2024-11-10",
    },
]


def run(queries: list[str], lines: list[bytes], **options) -> tuple[list[dict], list[str], Tally]:
    said: list[str] = []
    tally = Tally()
    found = match_lines(
        read_queries(queries, said.append), lines, said.append, tally, today=date(2024, 11, 20), **options
    )
    return [json.loads(line) for line in found], said, tally


def as_lines(docs: list[dict]) -> list[bytes]:
    return [json.dumps(each).encode() + b"\n" for each in docs]


def test_one_line_a_match_by_document_then_query():
    found, said, tally = run(['"county lines"\n', "\n", "seiz* OR drug\n", "is:overdue"], as_lines(DOCS))
    assert [(row["query"], row["key"][-1]) for row in found] == [(3, "1"), (1, "2"), (3, "2"), (4, "2")]
    assert found[0]["matched"] == [{"part": "answer", "text": "seized", "start": 12, "end": 18}]
    assert found[3]["matched"] == []
    assert said == []
    assert (tally.documents, tally.matches, tally.bad) == (2, 4, 0)


def test_ids_leaves_the_places_out():
    found, _, _ = run(["cocaine"], as_lines(DOCS), ids=True)
    assert found == [{"query": 1, "key": "commons/2024-11-05/1"}]


def test_bad_lines_are_reported_and_the_others_go_on():
    lines = [b"{not json\n", b"\n", b'{"key": "commons/2024-11-05/3", "house": "Senate"}\n', *as_lines(DOCS)]
    found, said, tally = run(["cocaine OR", "cocaine"], lines)
    assert [row["query"] for row in found] == [2]
    assert said[0] == "line 1: column 11: expected a word after OR"
    assert said[1].startswith("line 1: ")
    assert said[2].startswith("line 3: ")
    assert tally.bad == 2


def test_every_document_is_matched_however_many_there_are():
    docs = [DOCS[0] | {"key": f"commons/2024-11-05/{number}"} for number in range(1_203)]
    found, _, tally = run(["cocaine"], as_lines(docs), ids=True)
    assert [row["key"] for row in found] == [each["key"] for each in docs]
    assert tally.documents == 1_203


def test_files_are_read_plain_or_packed(tmp_path):
    body = b"".join(as_lines(DOCS))
    (tmp_path / "plain.gz").write_bytes(body)
    (tmp_path / "packed").write_bytes(gzip.compress(body))
    for name in ("plain.gz", "packed"):
        with open_lines(tmp_path / name) as lines:
            assert b"".join(lines) == body


@pytest.mark.parametrize(
    "body", [None, b"\x1f\x8b\x08\x00broken", gzip.compress(b"x" * 9_999, mtime=0)[:-20]]
)
def test_a_file_that_cannot_be_read_is_one_clear_error(tmp_path, body):
    path = tmp_path / "x.jsonl.gz"
    if body is not None:
        path.write_bytes(body)
    with pytest.raises(AlertsError, match=r"x\.jsonl\.gz"), open_lines(path) as lines:
        list(lines)
