"""Makes pages as a source would answer, for tests of parsers. All texts are invented."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import orjson

from scraper.source import Page
from storage.records import PageRef

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
API = "https://questions-statements-api.parliament.uk/api/writtenquestions/questions"
QUESTION = "To ask the Secretary of State for the Home Department, how many parcels of powder were found at Port Example in 2025."


def page(url: str, body: bytes | str, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Page:
    body = body.encode() if isinstance(body, str) else body
    return Page(url, status, headers or {}, body, NOW, PageRef(sha256(body).hexdigest()))


def member(id_: int, name: str, party: str = "Labour", member_for: str = "Exampleton") -> dict[str, Any]:
    return {
        "id": id_,
        "listAs": name,
        "name": name,
        "party": party,
        "partyColour": "d50000",
        "partyAbbreviation": party[:3],
        "memberFrom": member_for,
        "thumbnailUrl": f"https://members-api.parliament.uk/api/Members/{id_}/Thumbnail",
    }


def api_value(**changes: Any) -> dict[str, Any]:
    """The JSON value of an unanswered question as the official API gives it with expandMember, with changes."""
    return {
        "id": 1900001,
        "askingMemberId": 9001,
        "askingMember": member(9001, "Alex Example"),
        "house": "Commons",
        "memberHasInterest": False,
        "dateTabled": "2026-02-02T00:00:00",
        "dateForAnswer": "2026-02-05T00:00:00",
        "uin": "88001",
        "questionText": QUESTION,
        "answeringBodyId": 1,
        "answeringBodyName": "Home Office",
        "isWithdrawn": False,
        "isNamedDay": False,
        "groupedQuestions": [],
        "answerIsHolding": None,
        "answerIsCorrection": None,
        "answeringMemberId": None,
        "answeringMember": None,
        "correctingMemberId": None,
        "correctingMember": None,
        "dateAnswered": None,
        "answerText": None,
        "originalAnswerText": "",
        "comparableAnswerText": "",
        "dateAnswerCorrected": None,
        "dateHoldingAnswer": None,
        "attachmentCount": 0,
        "heading": None,
        "attachments": [],
        "groupedQuestionsDates": [],
    } | changes


def answered(**changes: Any) -> dict[str, Any]:
    """The same question answered on 9 February 2026."""
    return api_value(
        answerIsHolding=False,
        answerIsCorrection=False,
        answeringMemberId=9002,
        answeringMember=member(9002, "Sam Sample", "Conservative", "Sampleford"),
        dateAnswered="2026-02-09T00:00:00",
        answerText="<p>Forty parcels were found.</p>",
        heading="Ports: Drugs",
        **changes,
    )


def corrected(**changes: Any) -> dict[str, Any]:
    """The same answer corrected on 20 February 2026."""
    return answered() | {
        "answerIsCorrection": True,
        "correctingMemberId": 9002,
        "correctingMember": member(9002, "Sam Sample", "Conservative", "Sampleford"),
        "dateAnswerCorrected": "2026-02-20T00:00:00",
        "answerText": "<p>Fourteen parcels were found.</p>",
        "originalAnswerText": "<p>Forty parcels were found.</p>",
        **changes,
    }


def item(value: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "value": value,
        "links": [{"rel": "self", "href": f"/Questions/{value.get('id')}", "method": "GET"}],
    }


def detail_page(value: Mapping[str, Any], **more: Any) -> Page:
    return page(f"{API}/1900001?expandMember=true", orjson.dumps(item(value)), **more)


def list_page(*values: Mapping[str, Any], total: int | None = None, **more: Any) -> Page:
    document = {
        "totalResults": len(values) if total is None else total,
        "results": [item(value) for value in values],
    }
    url = f"{API}?tabledWhenFrom=2026-02-02&tabledWhenTo=2026-02-02&take=1000&expandMember=true"
    return page(url, orjson.dumps(document), **more)
