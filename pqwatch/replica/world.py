"""The invented fortnight: what each question and each post is at a moment. Read from `data/*.toml`; pure otherwise."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from storage.records import PqwatchError

DATA = Path(__file__).parent / "data"
SCOTLAND = "Scottish Parliament"  # a house, and in place of a department
EVENING = time(19, 0, tzinfo=UTC)  # when a question tabled on a day can first be seen


class ReplicaError(PqwatchError):
    """The replica's data cannot be read, or it was asked for something it does not do."""


@dataclass(frozen=True, slots=True)
class Person:
    """A Member: `office` at the time of an answer, `now` the one that Parallel Parliament shows today."""

    id: int
    name: str
    party: str
    seat: str
    office: str = ""
    now: str = ""

    @property
    def is_peer(self) -> bool:
        return self.seat == "Life peer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question as it stands at one moment."""

    id: int
    house: str
    uin: str
    tabled: date
    due: date
    body: str
    asker: str
    text: str
    named_day: bool = False
    declared_interest: bool = False
    heading: str | None = None
    minister: str | None = None
    answer: str | None = None  # HTML
    original: str | None = None  # the answer that a declared correction replaced
    answered: date | None = None
    holding: bool = False
    held_on: date | None = None
    corrected: date | None = None
    withdrawn: bool = False
    group: tuple[str, ...] = ()
    attachments: tuple[Mapping[str, Any], ...] = ()

    @property
    def scottish(self) -> bool:
        return self.house == SCOTLAND

    @property
    def section(self) -> str:
        """The part of TheyWorkForYou that shows it."""
        return "spwrans" if self.scottish else "wrans"

    @property
    def gid(self) -> str:
        """By the day tabled; Scottish ones by the day answered."""
        return f"{self.answered if self.scottish else self.tabled}.{self.uin}"


@dataclass(frozen=True, slots=True)
class Post:
    """One post of the blog as it stands at one moment."""

    id: int
    slug: str
    at: datetime
    changed: datetime
    title: str
    categories: tuple[str, ...]
    html: str


@dataclass(frozen=True)
class World:
    """Everything that ever happens in the replica, and the view of it at one moment."""

    people: Mapping[str, Person]
    bodies: Mapping[str, int]
    stories: tuple[Mapping[str, Any], ...]
    blog: Mapping[str, Any] = field(default_factory=dict)

    def questions(self, at: datetime, *, scottish: bool = False) -> list[Question]:
        """Westminster's questions that can be seen at a moment, or (`scottish`) the Scottish Parliament's, newest first."""
        told_of = (story for story in self.stories if (story.get("house") == SCOTLAND) == scottish)
        seen = [question for story in told_of if (question := _at(story, at)) is not None]
        by_uin = {question.uin: question for question in seen}
        told = (_with_shared_answer(question, by_uin) for question in seen)
        return sorted(told, key=lambda question: (question.tabled, question.id), reverse=True)

    def posts(self, at: datetime) -> list[Post]:
        """The posts of the blog at a moment, newest first."""
        shown = [_post_at(post, at) for post in self.blog.get("post", ()) if post["at"] <= at]
        return sorted(shown, key=lambda post: post.at, reverse=True)

    @property
    def steps(self) -> list[datetime]:
        """Every moment at which something changes, in order."""
        moments = {_begins(story) for story in self.stories} | {
            post["at"] for post in self.blog.get("post", ())
        }
        for item in (*self.stories, *self.blog.get("post", ())):
            moments.update(step["at"] for step in item.get("step", ()))
        return sorted(moments)


@cache
def load(folder: Path = DATA) -> World:
    """Read and check every file of the folder. Raises ReplicaError that names the file and the entry."""
    people: dict[str, Person] = {}
    bodies: dict[str, int] = {}
    stories: list[Mapping[str, Any]] = []
    blog: Mapping[str, Any] = {}
    for path in sorted(folder.glob("*.toml")):
        content = _read(path)
        people.update({m["name"]: _person(m) for m in content.get("member", ())})
        bodies.update({body["name"]: body["id"] for body in content.get("body", ())})
        stories.extend(content.get("question", ()))
        blog = content if "post" in content else blog
    world = World(people, bodies, tuple(stories), blog)
    _check(world)
    return world


def _read(path: Path) -> Mapping[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ReplicaError(f"{path.name}: {error}") from error


def _person(entry: Mapping[str, Any]) -> Person:
    return Person(
        entry["id"],
        entry["name"],
        entry["party"],
        entry["from"],
        entry.get("office", ""),
        entry.get("now", ""),
    )


STEP_FIELDS = frozenset(
    [
        "at",
        "heading",
        "body",
        "text",
        "due",
        "tabled",
        "minister",
        "answer",
        "answer_of",
        "answered",
        "holding",
        "corrected",
        "withdrawn",
        "group",
        "attachments",
    ]
)


def _check(world: World) -> None:
    """A name that nobody has, a step out of order or an unknown field is a mistake of whoever wrote the data."""
    uins = {story["uin"] for story in world.stories}
    for story in world.stories:
        steps = story.get("step", [])
        names = {story["asker"], *(step["minister"] for step in steps if "minister" in step)}
        bodies = {story["body"], *(step["body"] for step in steps if "body" in step)}
        moments = [_begins(story), *(step["at"] for step in steps)]
        unknown = {name for step in steps for name in step} - STEP_FIELDS
        mates = {
            uin for step in steps for uin in (*step.get("group", ()), step.get("answer_of", story["uin"]))
        }
        if (
            names - set(world.people)
            or bodies - set(world.bodies) - {SCOTLAND}
            or unknown
            or mates - uins
            or moments != sorted(moments)
        ):
            wrong = sorted(
                (names - set(world.people))
                | (bodies - set(world.bodies) - {SCOTLAND})
                | unknown
                | (mates - uins)
            )
            raise ReplicaError(
                f"question {story['uin']}: unknown {wrong}"
                if wrong
                else f"question {story['uin']}: steps out of order"
            )


def _begins(story: Mapping[str, Any]) -> datetime:
    began: datetime = story.get("at") or datetime.combine(story["tabled"], EVENING)
    return began


def _at(story: Mapping[str, Any], at: datetime) -> Question | None:
    """The question with every step up to the moment folded over it; None before it is tabled."""
    if at < _begins(story):
        return None
    first = {name: value for name, value in story.items() if name not in ("step", "at")}
    question = Question(**{"house": "Commons", **first})
    for step in story.get("step", ()):
        if step["at"] <= at:
            question = _after(question, step)
    return question


def _after(question: Question, step: Mapping[str, Any]) -> Question:
    """One step: an answer without `corrected` is dated by its moment, as the real API dates it."""
    day = step["at"].date()
    plain = {
        name: step[name]
        for name in ("heading", "body", "text", "due", "tabled", "minister", "withdrawn")
        if name in step
    }
    question = replace(question, **plain)
    question = replace(
        question,
        group=tuple(step.get("group", question.group)),
        attachments=tuple(step.get("attachments", question.attachments)),
    )
    if "answer" not in step and "answer_of" not in step:
        return question
    holding = step.get("holding", question.holding)
    answer = step.get("answer", f"={step.get('answer_of')}")
    if "corrected" in step:
        return replace(question, answer=answer, original=question.answer, corrected=step["corrected"])
    first_final = question.answered is None or (question.holding and not holding)
    return replace(
        question,
        answer=answer,
        holding=holding,
        answered=step.get("answered", day if first_final else question.answered),
        held_on=day if holding else question.held_on,
    )


def _with_shared_answer(question: Question, seen: Mapping[str, Question]) -> Question:
    """`answer_of`: a group's answer is written down once."""
    if not question.answer or not question.answer.startswith("="):
        return question
    other = seen.get(question.answer[1:])
    return replace(question, answer=other.answer if other else None)


def _post_at(entry: Mapping[str, Any], at: datetime) -> Post:
    post = Post(
        entry["id"],
        entry["slug"],
        entry["at"],
        entry["at"],
        entry["title"],
        tuple(entry.get("categories", ())),
        entry["html"],
    )
    for step in entry.get("step", ()):
        if step["at"] <= at:
            post = replace(
                post,
                changed=step["at"],
                html=step.get("html", post.html),
                title=step.get("title", post.title),
            )
    return post


def delayed(at: datetime, hours: int) -> datetime:
    """The moment whose state a site shows that is some hours behind the official API."""
    return at - timedelta(hours=hours)
