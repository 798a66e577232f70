"""Answers and subscriptions made by chance, for the matching bench; the same seed gives the same ones.

Words are made up, and each is its own inflected form, so that every engine can be given the same tokens and must find the
same matches. An answer has about 215 words (1,500 characters): 60 % follow Zipf's law over 12,000 common words, 17 % over a
tail of 60,000, 23 % come from two of 300 topics, a third of these as set phrases. Subscriptions: 34 % one word, 16 %
AND of two, 16 % a phrase of two or three words, 8 % a prefix, 12 % OR of two to four terms, 5 % NOT, the rest with a
department, as in the measurements the targets come from.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import accumulate

from storage.analyse import inflected
from storage.records import Body, Content, House, Member, Record


def _listed(text: str, separator: str | None = None) -> list[str]:
    return text.split(separator)


_SYLLABLES = _listed(
    "ba be bri co cra de dro el fa fer ga gra hel in jo ka ker la lin ma mer mo na nor o par pel qui ra ren sa ser sta ta"
    " ter tra u val ver wa wen yo zel ch sh th str pl cl gr"
)
DEPARTMENTS = _listed(
    "Home Office,Ministry of Justice,Treasury,Ministry of Defence,Cabinet Office,Scotland Office,Wales Office,"
    "Department for Education,Department for Transport,Department of Health and Social Care",
    ",",
)


@dataclass(frozen=True, slots=True)
class Term:
    """A word, a phrase (several words) or, with `prefix`, the beginning of a word."""

    words: tuple[str, ...]
    prefix: bool = False


@dataclass(frozen=True, slots=True)
class Wish:
    """What one subscription asks: all of `every`, one of `some` (if any), none of `no`, and the department (if any)."""

    every: tuple[Term, ...] = ()
    some: tuple[Term, ...] = ()
    no: tuple[Term, ...] = ()
    department: str | None = None


class World:
    """The vocabulary and the topics, from which both answers and subscriptions are drawn."""

    def __init__(self, seed: int = 1) -> None:
        chance = random.Random(seed)
        made: dict[str, None] = {}
        while len(made) < 102_000:
            word = "".join(chance.choices(_SYLLABLES, k=chance.choice((2, 3, 3, 4))))
            if len(word) > 2 and inflected(word) == word:
                made[word] = None
        words = list(made)
        self.common, self.tail = words[:12_000], words[12_000:72_000]
        self._common_sums = list(accumulate(1 / (rank + 5) for rank in range(12_000)))
        self._tail_sums = list(accumulate(1 / (rank + 200) for rank in range(60_000)))
        self.topics = [words[72_000 + 100 * number : 72_100 + 100 * number] for number in range(300)]
        self.phrases = [
            [tuple(chance.sample(topic, chance.choice((2, 2, 3)))) for _ in range(60)]
            for topic in self.topics
        ]

    def records(self, count: int, seed: int = 2) -> list[Record]:
        chance = random.Random(seed)
        return [self._record(number, chance) for number in range(count)]

    def _record(self, number: int, chance: random.Random) -> Record:
        length = max(40, int(chance.gammavariate(6, 31)))
        words = chance.choices(self.common, cum_weights=self._common_sums, k=int(length * 0.60))
        words += chance.choices(self.tail, cum_weights=self._tail_sums, k=int(length * 0.17))
        pieces: list[tuple[str, ...]] = [(word,) for word in words]
        topical = int(length * 0.23)
        for topic in chance.sample(range(300), 2):
            pieces += [(word,) for word in chance.choices(self.topics[topic], k=topical // 3)]
            pieces += chance.choices(self.phrases[topic], k=topical // 14)
        chance.shuffle(pieces)
        text = [word for piece in pieces for word in piece]
        name = DEPARTMENTS[min(int(chance.expovariate(0.35)), len(DEPARTMENTS) - 1)]
        content = Content(
            house=House.COMMONS,
            uin=str(number),
            answering_body=Body(name),
            asking_member=Member(f"Member {number % 650}", number % 650, "Labour"),
            answer_text=" ".join(text),
        )
        return Record(key=f"commons/2024-11-05/{number}", content=content)

    def wishes(self, count: int, seed: int = 3) -> list[Wish]:
        chance = random.Random(seed)
        return [self._wish(chance) for _ in range(count)]

    def _wish(self, chance: random.Random) -> Wish:
        topic = int(300 * chance.random() ** 1.3)
        kind = chance.random()
        if kind < 0.34:
            return Wish(every=(self._word(topic, chance),))
        if kind < 0.50:
            return Wish(every=(self._word(topic, chance), self._word(topic, chance)))
        if kind < 0.66:
            return Wish(every=(Term(chance.choice(self.phrases[topic])),))
        if kind < 0.74:
            return Wish(
                every=(Term((chance.choice(self.topics[topic])[: chance.choice((6, 7, 8))],), prefix=True),)
            )
        if kind < 0.86:
            some = {self._any(topic, chance) for _ in range(chance.choice((2, 3, 4)))}
            return Wish(some=tuple(sorted(some, key=lambda term: term.words)))
        if kind < 0.91:
            return Wish(every=(self._word(topic, chance),), no=(self._any(topic, chance),))
        name = DEPARTMENTS[min(int(chance.expovariate(0.35)), len(DEPARTMENTS) - 1)]
        return Wish(every=(self._any(topic, chance),), department=name)

    def _word(self, topic: int, chance: random.Random) -> Term:
        if chance.random() < 0.5:
            return Term((chance.choice(self.topics[topic]),))
        return Term((chance.choice(self.tail[4_000:50_000]),))

    def _any(self, topic: int, chance: random.Random) -> Term:
        if chance.random() < 0.25:
            return Term(chance.choice(self.phrases[topic]))
        return self._word(topic, chance)


def as_query(wish: Wish) -> str:
    """The wish in the query language. One-word terms are bare words: their inflected form is the word itself."""
    parts = [_spelled(term) for term in wish.every]
    if wish.some:
        parts.append(" OR ".join(map(_spelled, wish.some)))
    parts += [f"NOT {_spelled(term)}" for term in wish.no]
    if wish.department:
        parts.append(f'department:"{wish.department}"')
    return " ".join(parts)


def _spelled(term: Term) -> str:
    if term.prefix:
        return f"{term.words[0]}*"
    return term.words[0] if len(term.words) == 1 else f'"{" ".join(term.words)}"'
