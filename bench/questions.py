"""Questions and answers made by chance, in the shape of the real ones: the archive of the search bench.

Words follow Zipf's law over a vocabulary of made-up stems with English endings, among them the words of the field; a
question has about 215 words in all, 24 departments of uneven weight, 650 members, and a date; a tenth is unanswered.
The same seed gives the same archive.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate

from storage.records import Body, Content, House, Member, Observation, PageRef, key_of


def _listed(text: str) -> list[str]:
    return text.split()


_SYLLABLES = _listed(
    "ba be bri co cra de dro el fa fer ga gra hel in jo ka ker la lin ma mer mo na nor o par pel qui ra ren sa"
    " ser sta ta ter tra u val ver wa wen yo zel ch sh th str pl cl gr"
)
_ENDINGS = ("", "", "", "s", "s", "ed", "ing", "er", "ment", "ation", "ly")
FIELD_WORDS = _listed(
    "drugs cocaine heroin cannabis ketamine nitazenes seized seizures smuggling trafficking trafficked police"
    " policy policing crime organised gangs county lines border force naloxone treatment prison prisoners money"
    " laundering knife exploitation children cuckooing ports offences"
)
_COMMON = _listed(
    "the of to and in for a is that on will be with as by has are we this it have from which at an or not their"
    " government department support including work have been people also"
)
PHRASES = (
    "county lines",
    "border force",
    "organised crime",
    "money laundering",
    "knife crime",
    "drug treatment",
)
_DEPARTMENTS = (
    (1, "Home Office"), (17, "Department of Health and Social Care"), (54, "Ministry of Justice"), (60, "Department for Education"),
    (14, "Treasury"), (27, "Department for Transport"), (11, "Ministry of Defence"), (29, "Department for Work and Pensions"),
    (13, "Department for Environment, Food and Rural Affairs"), (53, "Cabinet Office"), (21, "Northern Ireland Office"),
    (208, "Foreign, Commonwealth and Development Office"), (214, "Department for Business and Trade"), (2, "Scotland Office"),
    (215, "Department for Energy Security and Net Zero"), (7, "Ministry of Housing, Communities and Local Government"),
    (216, "Department for Science, Innovation and Technology"), (10, "Department for Digital, Culture, Media and Sport"),
    (28, "Wales Office"), (31, "Women and Equalities"), (88, "Attorney General"), (9, "Church Commissioners"),
    (34, "Leader of the House"), (18, "House of Commons Commission"),
)  # fmt: skip
_FIRST = date(2006, 1, 1)
_LAST = date(2025, 12, 31)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Words, the most frequent first, and the running sum of their weights."""

    words: tuple[str, ...]
    sums: tuple[float, ...]


def vocabulary(size: int = 60_000, seed: int = 1) -> Vocabulary:
    chance = random.Random(seed)
    made = dict.fromkeys(_COMMON)
    stems = ["".join(chance.choices(_SYLLABLES, k=chance.choice((2, 2, 3, 3, 4)))) for _ in range(size)]
    plain = [stem + chance.choice(_ENDINGS) for stem in stems]
    for place, word in enumerate(FIELD_WORDS):
        plain.insert(60 + place * 40, word)
    made.update(dict.fromkeys(plain))
    words = tuple(made)[:size]
    return Vocabulary(words, tuple(accumulate(1 / (rank + 4) for rank in range(len(words)))))


def observations(count: int, *, seed: int = 2, words: Vocabulary | None = None) -> Iterator[Observation]:
    """`count` questions in the order of their dates, as the official API would show them."""
    held, chance = words or vocabulary(), random.Random(seed)
    names = [f"{_name(chance)} {_name(chance)}" for _ in range(650)]
    span = (_LAST - _FIRST).days
    for number in range(count):
        day = _FIRST + timedelta(days=number * span // count)
        yield _observation(number, day, _content(number, day, held, names, chance))


def _name(chance: random.Random) -> str:
    return "".join(chance.choices(_SYLLABLES, k=2)).title()


def _content(number: int, day: date, held: Vocabulary, names: list[str], chance: random.Random) -> Content:
    length = max(30, int(chance.gammavariate(4, 50)))
    words = chance.choices(held.words, cum_weights=held.sums, k=length)
    for _ in range(2):
        if chance.random() < 0.05:
            words.insert(chance.randrange(length), chance.choice(PHRASES))
    asked = len(words) // 4
    rank = min(int(chance.expovariate(0.2)), len(_DEPARTMENTS) - 1)
    member = chance.randrange(len(names))
    open_ = chance.random() < 0.1 or number % 50 == 0
    answer = ". ".join(" ".join(words[start : start + 20]) for start in range(asked, len(words), 20))
    return Content(
        house=House.LORDS if number % 6 == 0 else House.COMMONS,
        uin=f"HL{number}" if number % 6 == 0 else str(number),
        tabled_on=day,
        due_on=day + timedelta(days=7),
        named_day=number % 4 == 0,
        heading=f"{words[0].title()}: {words[1].title()}",
        answering_body=Body(_DEPARTMENTS[rank][1], _DEPARTMENTS[rank][0]),
        asking_member=Member(names[member], member, "Labour" if member % 2 else "Conservative"),
        question_text=f"To ask the Secretary of State, {' '.join(words[:asked])}.",
        answer_text=None if open_ else answer,
        answer_html=None if open_ else f"<p>{answer}</p>",
        answering_member=None if open_ else Member(names[rank], rank),
        answered_on=None if open_ else day + timedelta(days=number % 9),
    )


def _observation(number: int, day: date, content: Content) -> Observation:
    assert content.house is not None
    assert content.tabled_on is not None
    assert content.uin is not None
    key = key_of(content.house, content.tabled_on, content.uin)
    return Observation(
        source="parliament",
        source_id=str(number),
        url=f"https://example.org/{number}",
        key=key,
        observed_at=datetime(day.year, day.month, day.day, 12, tzinfo=UTC) + timedelta(days=10),
        content=content,
        seen=frozenset(Content.__dataclass_fields__) - {"lapsed", "links"},
        page=PageRef("0" * 64, "made.warc.gz", number),
        official_id=number,
    )
