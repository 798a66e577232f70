"""What several tests share: where the shared data stands, and small makers of records."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from storage.records import PARLIAMENT, Attachment, Body, Content, House, Member, Observation, PageRef, key_of

NOW = datetime(2025, 3, 10, 9, tzinfo=UTC)
HOME_OFFICE = Body("Home Office", 1)
JUSTICE = Body("Ministry of Justice", 54)
ASKER = Member("Ann Example", 4001, "Independent", "Ambridge")
MINISTER = Member("Max Mustermann", 4002, "Labour", "Borchester")
_UNSEEN = frozenset({"lapsed", "links"})  # no view of a question shows them
QUESTION_FIELDS = frozenset(Content.__dataclass_fields__) - _UNSEEN
"""What a whole official view of a question shows."""
FEED_FIELDS = frozenset(
    {"heading", "answer_text", "answer_html", "answered_on", "answering_member", "links"},
)


def shared(*parts: str) -> Path:
    """A path below the shared data that stands beside the project; skips the test where it is absent."""
    root = Path(os.environ.get("PQWATCH_TEST_SHARED") or Path(__file__).resolve().parents[2] / "shared")
    path = root.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"needs the shared data: {'/'.join(('shared', *parts))} is absent")
    return path


def at(days: float = 0) -> datetime:
    """A moment: so many days after NOW."""
    return NOW + timedelta(days=days)


def content(**fields: Any) -> Content:
    """An open Commons question, tabled on 3 March 2025."""
    given: dict[str, Any] = {
        "house": House.COMMONS, "uin": "35566", "tabled_on": date(2025, 3, 3), "due_on": date(2025, 3, 5),
        "answering_body": HOME_OFFICE, "asking_member": ASKER,
        "question_text": "To ask the Secretary of State for the Home Department, how much cocaine was seized.",
    }  # fmt: skip
    return Content(**{**given, **fields})


def answered(text: str = "Four tonnes were seized.", **fields: Any) -> Content:
    """The same question with a substantive answer of 7 March 2025."""
    given: dict[str, Any] = {
        "answer_text": text, "answer_html": f"<p>{text}</p>", "answered_on": date(2025, 3, 7),
        "answering_member": MINISTER,
    }  # fmt: skip
    return content(**{**given, **fields})


def holding(text: str = "It will not be possible to answer in time.", **fields: Any) -> Content:
    """The same question with a holding answer of 5 March 2025."""
    return answered(text, **{"answered_on": None, "holding_on": date(2025, 3, 5), **fields})


def corrected(text: str = "Five tonnes were seized.", **fields: Any) -> Content:
    """The same question, its answer corrected on 12 March 2025."""
    return answered(text, **{"corrected_on": date(2025, 3, 12), **fields})


def attachment(title: str = "Table") -> Attachment:
    return Attachment(title, f"https://example.org/{title}.pdf", "application/pdf", 1000)


def observation(what: Content | None = None, **fields: Any) -> Observation:
    """What the official API showed of a question: a whole view, unless said otherwise."""
    what = what or content()
    source = fields.get("source", PARLIAMENT)
    given: dict[str, Any] = {"source": source, "observed_at": NOW, "content": what, "seen": QUESTION_FIELDS}
    if source == PARLIAMENT:
        given["official_id"] = 1_800_000 + int("".join(filter(str.isdigit, what.uin or "0")))
    if "key" not in fields and what.house and what.tabled_on and what.uin:
        given["key"] = key_of(what.house, what.tabled_on, what.uin)
    given.update(fields)
    given.setdefault("source_id", str(given.get("official_id") or given["key"]))
    given.setdefault("url", f"https://example.org/{source}/{given['source_id']}")
    given.setdefault("page", PageRef(sha256(repr(given).encode()).hexdigest(), "example.warc.gz", 0))
    return Observation(**given)


def feed_item(text: str = "A post about cocaine.", **fields: Any) -> Observation:
    """An item of a feed."""
    names = {name: fields.pop(name) for name in set(fields) & set(Content.__dataclass_fields__)}
    given: dict[str, Any] = {
        "heading": "A post", "answer_text": text, "answer_html": f"<p>{text}</p>",
        "answered_on": date(2025, 3, 7), "answering_member": Member("A. Blogger"),
    }  # fmt: skip
    what = Content(**{**given, **names})
    return observation(
        what, **{"source": "feeds", "key": "feed/example.org/0123456789abcdef", "seen": FEED_FIELDS, **fields}
    )
