"""A shorter stretch of `make replay`, and that its comparison can fail."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from storage.records import Kind, PageRef, Record, Version
from tests import replay
from tests.helpers import content, shared


@pytest.mark.slow
def test_what_is_found_is_what_happened(tmp_path: Path) -> None:
    wrong = replay.walk(shared(), tmp_path, ("2024-11",), most=5, tell=False)
    assert wrong == []


def value(**changes: Any) -> dict[str, Any]:
    given = {
        "questionText": content().question_text, "answerText": None, "dateAnswered": None, "answerIsHolding": None, "isWithdrawn": False,
        "dateAnswerCorrected": None, "originalAnswerText": "",
    }  # fmt: skip
    return {**given, **changes}


def record(*kinds: Kind) -> Record:
    made = tuple(
        Version(
            number=number, kind=kind, kinds=(kind,), changed=(), observed_at=datetime(2025, 3, 3, tzinfo=UTC), source="parliament",
            page=PageRef("0"), content=content(),
        )
        for number, kind in enumerate(kinds, 1)
    )  # fmt: skip
    return Record(key="commons/2025-03-03/35566", content=content(), official_id=1, versions=made)


def truth(*kinds: str) -> replay.Truth:
    return replay.Truth(None, {1: value()}, {1: [{kind} for kind in kinds]}, {1: (True, True)})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("expected", "found", "said"),
    [
        (("tabled",), {1: record(Kind.TABLED)}, ""),
        (("tabled", "edited"), {1: record(Kind.TABLED)}, "1: found tabled, expected tabled edited"),
        (("tabled",), {1: record(Kind.TABLED, Kind.EDITED)}, "1: found tabled edited, expected tabled"),
        (("tabled",), {}, "1 is not stored"),
        (("tabled",), {1: record(Kind.TABLED), 2: record(Kind.TABLED)}, "2 is stored, and was in no window"),
    ],
)
def test_a_difference_is_told(expected: tuple[str, ...], found: dict[int, Record], said: str) -> None:
    assert "\n".join(replay.compare(truth(*expected), found)) == said


def test_a_text_that_is_cut_is_told() -> None:
    known = truth("tabled")
    known.held[1]["questionText"] += " And more."
    assert replay.compare(known, {1: record(Kind.TABLED)}) == ["1: question text differs"]
