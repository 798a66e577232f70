"""The official API, `/api/writtenquestions/questions` and `…/{id}` or `…/{date tabled}/{uin}`: pure, values from a World.

As the real one is known to behave: lists cut the question at 255 characters without a mark, and the answer, its tags
dropped with nothing put in their place and its entities kept, at 255 plus "..."; lists never show attachments or the
text before a correction; Members only with `expandMember=true`; the withdrawn only with `includeWithdrawn=true`;
dates are local without a zone; a window wider than 60 days is a 500; no ETag, no sort.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from pqwatch.replica.world import Person, Question, World

PATH = "/api/writtenquestions/questions"
WIDEST_WINDOW = 60
ENUMS = {
    "answered": ("any", "answered", "unanswered"),
    "questionstatus": ("notanswered", "answeredonly", "allquestions"),
    "sessionstatus": ("current", "any"),
    "house": ("bicameral", "commons", "lords"),
}
DATES: dict[str, Callable[[Question], date | None]] = {
    "tabledwhen": lambda q: q.tabled,
    "dateforanswerwhen": lambda q: q.due,
    "answeredwhen": lambda q: q.answered,
    "correctedwhen": lambda q: q.corrected,
}


class ApiFault(Exception):  # noqa: N818  # an answer of the API, not an error of ours
    """An answer that is no 200."""

    def __init__(self, status: int, title: str) -> None:
        super().__init__(title)
        self.status = status


def answer(world: World, path: str, query: Sequence[tuple[str, str]], at: datetime) -> dict[str, Any]:
    """The JSON body for a path and its query at a moment. Raises ApiFault."""
    params = {name.lower(): value for name, value in query}
    bodies = {int(value) for name, value in query if name.lower() == "answeringbodies" and value.isdigit()}
    shown = world.questions(at)
    tail = [part for part in path.lower().removeprefix(PATH).split("/") if part]
    expand = params.get("expandmember", "").lower() == "true"
    if not tail:
        return _list(world, _filtered(shown, params, bodies, world, at), params, expand)
    for question in shown:
        if tail in ([str(question.id)], [question.tabled.isoformat(), question.uin.lower()]):
            return _item(_value(world, question, expand), f"/Questions/{'/'.join(tail).upper()}")
    raise ApiFault(404, "Not Found")


def _list(world: World, rows: Sequence[Question], params: Mapping[str, str], expand: bool) -> dict[str, Any]:
    skip, take = _number(params, "skip", 0), _number(params, "take", 20)
    page = [
        _item(_cut(_value(world, row, expand)), f"/Questions/{row.id}") for row in rows[skip : skip + take]
    ]
    return {"totalResults": len(rows), "results": page}


def _number(params: Mapping[str, str], name: str, default: int) -> int:
    text = params.get(name, str(default))
    if not re.fullmatch(r"\d{1,9}", text):
        raise ApiFault(400, f"The value '{text}' is not valid for {name}.")
    return int(text)


def _item(value: dict[str, Any], href: str) -> dict[str, Any]:
    return {"value": value, "links": [{"rel": "self", "href": href, "method": "GET"}]}


def _filtered(
    shown: Sequence[Question], params: Mapping[str, str], bodies: set[int], world: World, at: datetime
) -> list[Question]:
    for name, allowed in ENUMS.items():
        if params.get(name) and params[name].lower() not in allowed:
            raise ApiFault(400, f"The value '{params[name]}' is not valid for {name}.")
    tests = [*_date_tests(params, at), *_state_tests(params)]
    if bodies:
        tests.append(lambda q: world.bodies[q.body] in bodies)
    return [question for question in shown if all(test(question) for test in tests)]


Test = Callable[[Question], bool]


def _date_tests(params: Mapping[str, str], at: datetime) -> list[Test]:
    tests: list[Test] = []
    for name, field in DATES.items():
        low, high = _day(params, name + "from"), _day(params, name + "to")
        if low is None and high is None:
            continue
        begin, end = low or date(2014, 5, 1), high or max(low or at.date(), at.date())
        if (end - begin).days > WIDEST_WINDOW:
            raise ApiFault(500, "An error occurred while processing your request.")
        tests.append(_between(field, begin, end))
    return tests


def _day(params: Mapping[str, str], name: str) -> date | None:
    try:
        return date.fromisoformat(params[name][:10]) if params.get(name) else None
    except ValueError:
        raise ApiFault(400, f"The value '{params[name]}' is not valid for {name}.") from None


def _between(field: Callable[[Question], date | None], begin: date, end: date) -> Test:
    return lambda question: (day := field(question)) is not None and begin <= day <= end


def _state_tests(params: Mapping[str, str]) -> list[Test]:
    tests: list[Test] = []
    asked = {params.get("answered", "").lower(), params.get("questionstatus", "").lower()}
    if asked & {"answered", "answeredonly"}:
        tests.append(lambda q: q.answered is not None)
    if asked & {"unanswered", "notanswered"}:
        tests.append(lambda q: q.answered is None)
    if params.get("house", "bicameral").lower() != "bicameral":
        tests.append(lambda q: q.house.lower() == params["house"].lower())
    if params.get("uin"):
        tests.append(lambda q: q.uin.lower() == params["uin"].lower())
    if params.get("includewithdrawn", "").lower() != "true":
        tests.append(lambda q: not q.withdrawn)
    if params.get("searchterm"):
        tests.append(lambda q: params["searchterm"].lower() in f"{q.text}\n{q.answer or ''}".lower())
    return tests


def _value(world: World, question: Question, expand: bool) -> dict[str, Any]:
    """One question as the detail shows it, its fields in the API's order."""
    answered = question.answered is not None
    minister = world.people[question.minister] if question.minister and answered else None
    mates = sorted(question.group)
    return {
        "id": question.id,
        "askingMemberId": world.people[question.asker].id,
        "askingMember": _member(world.people[question.asker]) if expand else None,
        "house": question.house,
        "memberHasInterest": question.declared_interest,
        "dateTabled": _naive(question.tabled),
        "dateForAnswer": _naive(question.due),
        "uin": question.uin,
        "questionText": question.text,
        "answeringBodyId": world.bodies[question.body],
        "answeringBodyName": question.body,
        "isWithdrawn": question.withdrawn,
        "isNamedDay": question.named_day,
        "groupedQuestions": mates,
        "answerIsHolding": question.holding if answered else None,
        "answerIsCorrection": question.corrected is not None if answered else None,
        "answeringMemberId": minister.id if minister else None,
        "answeringMember": _member(minister) if minister and expand else None,
        "correctingMemberId": minister.id if minister and question.corrected else None,
        "correctingMember": _member(minister) if minister and question.corrected and expand else None,
        "dateAnswered": _naive(question.answered),
        "answerText": question.answer,
        "originalAnswerText": question.original or "",
        "comparableAnswerText": _comparable(question.original, question.answer) if question.original else "",
        "dateAnswerCorrected": _naive(question.corrected),
        "dateHoldingAnswer": _naive(question.held_on),
        "attachmentCount": 0,  # as in the real one, beside filled attachments
        "heading": question.heading,
        "attachments": [
            {"url": a["url"], "title": a["title"], "fileType": a["type"], "fileSizeBytes": a["bytes"]}
            for a in question.attachments
        ],
        "groupedQuestionsDates": [
            {"questionUin": uin, "dateTabled": _naive(question.tabled)} for uin in mates
        ],
    }


def _naive(day: date | None) -> str | None:
    return None if day is None else f"{day}T00:00:00"


PARTIES = {
    "Labour": ("Lab", "d50000"),
    "Conservative": ("Con", "0000ff"),
    "Liberal Democrat": ("LD", "ff9900"),
}


def _member(person: Person) -> dict[str, Any]:
    short, colour = PARTIES.get(person.party, (person.party[:3], "808080"))
    first, _, last = person.name.rpartition(" ")
    return {
        "id": person.id,
        "listAs": f"{last}, {first}",
        "name": person.name,
        "party": person.party,
        "partyColour": colour,
        "partyAbbreviation": short,
        "memberFrom": person.seat,
        "thumbnailUrl": f"https://members-api.parliament.uk/api/Members/{person.id}/Thumbnail",
    }


def short(text: str) -> str:
    """An answer as the list gives it."""
    flat = re.sub(r"<[^>]*>", "", text)
    return flat if len(flat) <= 255 else flat[:255] + "..."


def _cut(value: dict[str, Any]) -> dict[str, Any]:
    return {
        **value,
        "questionText": value["questionText"][:255],
        "answerText": value["answerText"] and short(value["answerText"]),
        "originalAnswerText": "",
        "comparableAnswerText": "",
        "attachments": [],
        "attachmentCount": 0,
    }


def _comparable(before: str, after: str | None) -> str:
    """The new text with the words marked that the minister put in and took out."""
    old, new = (re.findall(r"<[^>]*>|[^<\s]+|\s+", text or "") for text in (before, after))
    head = _shared(old, new)
    tail = _shared(old[head:][::-1], new[head:][::-1])
    parts, end = new[:head], new[len(new) - tail :]
    old, new = old[head : len(old) - tail], new[head : len(new) - tail]
    for op, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        gone, come = "".join(old[a:b]), "".join(new[c:d])
        if op == "equal":
            parts.append(come)
            continue
        parts.append(f'<ins class="ministerial">{come}</ins>' if come else "")
        parts.append(f'<del class="ministerial">{gone}</del>' if gone else "")
    return "".join([*parts, *end])


def _shared(one: Sequence[str], other: Sequence[str]) -> int:
    """How many of the first entries are the same: the comparison of a long text is spared what was left alone."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((n for n, (a, b) in pairs if a != b), min(len(one), len(other)))
